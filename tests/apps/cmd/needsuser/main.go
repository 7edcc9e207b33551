// Command needsuser answers / with the name and the home of the user that it runs as.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os/user"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Run(service.Handler(service.Routes{"GET /{$}": front}))
}

func front(w http.ResponseWriter, _ *http.Request) {
	current, err := user.Current()
	if err == nil && (current.Username == "" || current.HomeDir == "") {
		err = errors.New("this user has no name or no home")
	}
	if err != nil {
		service.Fail(w, err)
		return
	}
	fmt.Fprintln(w, current.Username, current.HomeDir)
}
