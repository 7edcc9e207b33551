// Command panics a second after it started, or after $PANIC_DELAY.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Start(service.Handler(nil))
	time.Sleep(service.Duration("PANIC_DELAY", time.Second))
	panic("a second is enough")
}
