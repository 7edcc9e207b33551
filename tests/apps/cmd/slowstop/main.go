// Command slowstop needs $STOP_DELAY to stop after its last request is answered.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Run(service.Handler(nil))
	time.Sleep(service.Duration("STOP_DELAY", 40*time.Second))
}
