// Command gen writes code for this module; nobody wants an image of it.
package main

import "fmt"

func main() { fmt.Println("// Code generated; DO NOT EDIT.") }
