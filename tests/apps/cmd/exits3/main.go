// Command exits3 exits at once with status 3.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "no configuration: /etc/app/config.yaml")
	os.Exit(3)
}
