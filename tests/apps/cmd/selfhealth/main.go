// Command selfhealth is asked for its health by its own subcommand `health`; GET /sick makes it ill.
package main

import (
	"fmt"
	"net/http"
	"os"
	"sync/atomic"

	"example.com/wherry-apps/internal/service"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "health" {
		os.Exit(health())
	}
	var sick atomic.Bool
	service.Run(service.Handler(service.Routes{
		"GET /sick": func(w http.ResponseWriter, _ *http.Request) {
			sick.Store(true)
			fmt.Fprintln(w, "sick")
		},
		"GET /healthz": func(w http.ResponseWriter, r *http.Request) {
			if sick.Load() {
				service.Unavailable(w, r)
				return
			}
			fmt.Fprintln(w, "well")
		},
	}))
}

// health is the exit status: 0 for well, 1 for anything else.
func health() int {
	response, err := http.Get("http://127.0.0.1:" + service.Text("PORT", "8080") + "/healthz")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	if response.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}
