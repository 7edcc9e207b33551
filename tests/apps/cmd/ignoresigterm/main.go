// Command ignoresigterm must be killed.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"example.com/wherry-apps/internal/service"
)

func main() {
	signal.Ignore(syscall.SIGTERM, os.Interrupt)
	service.Start(service.Handler(nil))
	select {}
}
