// Command panics a second after it started.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Start(service.Handler(nil))
	time.Sleep(time.Second)
	panic("a second is enough")
}
