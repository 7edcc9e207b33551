// Command stillready says that it is ready until its port closes, a second after it was asked to stop.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Heed()
	server := service.Start(service.Handler(nil))
	service.AwaitSignal()
	time.Sleep(time.Second)
	service.Drain(server)
}
