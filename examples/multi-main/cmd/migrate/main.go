// Command migrate would change a database; it travels in the image of api.
package main

import "fmt"

func main() { fmt.Println("nothing to migrate") }
