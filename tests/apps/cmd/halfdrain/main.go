// Command halfdrain cuts off every second slow request in flight when it is asked to stop.
package main

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"example.com/wherry-apps/internal/service"
)

func main() {
	stop := make(chan struct{})
	var seen atomic.Int64
	slow := func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1)%2 == 0 {
			answered := make(chan struct{})
			go func() { service.Pause(r); close(answered) }()
			select {
			case <-stop:
				panic(http.ErrAbortHandler) // closes the connection without an answer
			case <-answered:
			}
		} else {
			service.Pause(r)
		}
		fmt.Fprintln(w, "done")
	}
	service.Heed()
	server := service.Start(service.Handler(service.Routes{"GET /slow": slow}))
	service.AwaitStop()
	close(stop)
	service.Drain(server)
}
