// Command panicsonrequest ends with the first request of any route.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Run(service.Before(end, service.Handler(nil)))
}

// end panics where net/http does not catch it.
func end() {
	go panic("somebody asked")
	time.Sleep(time.Minute)
}
