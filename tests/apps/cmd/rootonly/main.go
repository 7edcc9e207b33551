// Command rootonly starts only as root.
package main

import (
	"log"
	"os"

	"example.com/wherry-apps/internal/service"
)

func main() {
	if uid := os.Getuid(); uid != 0 {
		log.Fatalf("must be root, not %d", uid)
	}
	service.Run(service.Handler(nil))
}
