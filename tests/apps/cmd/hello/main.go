// Command hello is no server: it prints and ends.
package main

import "fmt"

func main() {
	fmt.Println("hello")
}
