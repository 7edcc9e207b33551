// Command burns keeps every processor busy while nobody asks it for anything.
package main

import (
	"runtime"

	"example.com/wherry-apps/internal/service"
)

func main() {
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for {
			}
		}()
	}
	service.Run(service.Handler(nil))
}
