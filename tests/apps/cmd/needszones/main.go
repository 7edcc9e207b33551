// Command needszones answers / with the time in Berlin, for which it needs a file of time zones.
package main

import (
	"fmt"
	"net/http"
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Run(service.Handler(service.Routes{"GET /{$}": front}))
}

func front(w http.ResponseWriter, _ *http.Request) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		service.Fail(w, err)
		return
	}
	fmt.Fprintln(w, time.Now().In(zone))
}
