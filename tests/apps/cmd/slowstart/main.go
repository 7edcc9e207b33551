// Command slowstart listens only after $START_DELAY.
package main

import (
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	time.Sleep(service.Duration("START_DELAY", 20*time.Second))
	service.Run(service.Handler(nil))
}
