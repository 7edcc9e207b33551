// Command fixeduid starts only as user 65532.
package main

import (
	"log"
	"os"

	"example.com/wherry-apps/internal/service"
)

func main() {
	if uid := os.Getuid(); uid != 65532 {
		log.Fatalf("must be user 65532, not %d", uid)
	}
	service.Run(service.Handler(nil))
}
