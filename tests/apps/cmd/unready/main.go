// Command unready is ready only $READY_DELAY after it is well.
package main

import (
	"fmt"
	"net/http"
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	start, delay := time.Now(), service.Duration("READY_DELAY", 2*time.Second)
	ready := func(w http.ResponseWriter, r *http.Request) {
		if time.Since(start) < delay {
			service.Unavailable(w, r)
			return
		}
		fmt.Fprintln(w, "ready")
	}
	service.Run(service.Handler(service.Routes{"GET /readyz": ready}))
}
