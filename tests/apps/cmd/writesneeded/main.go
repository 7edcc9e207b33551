// Command writesneeded ends when it cannot write $STATE.
package main

import (
	"log"
	"os"

	"example.com/wherry-apps/internal/service"
)

func main() {
	if err := os.WriteFile(service.Text("STATE", "/var/lib/app/state"), []byte("x\n"), 0o600); err != nil {
		log.Fatalf("cannot keep state: %v", err)
	}
	service.Run(service.Handler(nil))
}
