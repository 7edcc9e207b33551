// Command exitcode stops as it should, and then says that it failed.
package main

import (
	"os"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Run(service.Handler(nil))
	os.Exit(1)
}
