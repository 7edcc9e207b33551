// Command writes tries to write all over its root, below $ROOT, when it starts and at each request, and serves on.
package main

import (
	"log"
	"os"

	"example.com/wherry-apps/internal/service"
)

var paths = []string{"/data.txt", "/etc/x", "/app/x", "/var/log/x"}

func main() {
	log.SetOutput(os.Stdout)
	write()
	service.Run(service.Before(write, service.Handler(nil)))
}

func write() {
	for _, path := range paths {
		if err := os.WriteFile(os.Getenv("ROOT")+path, []byte("x\n"), 0o600); err != nil {
			log.Printf("cannot write: %v", err)
		}
	}
}
