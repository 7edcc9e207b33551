// Command nonewrefused takes new requests for $GRACE after it was asked to stop.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	server := service.Start(service.Handler(nil))
	service.AwaitStop()
	time.Sleep(service.Duration("GRACE", 8*time.Second))
	service.Drain(server)
}
