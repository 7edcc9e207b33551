// Command needsdns answers / with the addresses of the host $HOST, or localhost.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Run(service.Handler(service.Routes{"GET /{$}": front}))
}

func front(w http.ResponseWriter, r *http.Request) {
	deadline, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(deadline, service.Text("HOST", "localhost"))
	if err != nil {
		service.Fail(w, err)
		return
	}
	fmt.Fprintln(w, addresses)
}
