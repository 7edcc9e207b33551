// Command nonewrefused takes new requests until it ends, $GRACE after it was asked to stop, and so cuts the last ones off.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Heed()
	service.Start(service.Handler(nil))
	service.AwaitStop()
	time.Sleep(service.Duration("GRACE", 4*time.Second))
}
