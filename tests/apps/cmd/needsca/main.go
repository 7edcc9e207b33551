// Command needsca answers / with what the https URL $TARGET says, for which it needs certificates to trust.
package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"example.com/wherry-apps/internal/service"
)

var client = http.Client{Timeout: 5 * time.Second}

func main() {
	service.Run(service.Handler(service.Routes{"GET /{$}": front}))
}

func front(w http.ResponseWriter, _ *http.Request) {
	roots, err := x509.SystemCertPool()
	if err == nil && roots.Equal(x509.NewCertPool()) {
		err = errors.New("no certificate to trust")
	}
	if err != nil {
		service.Fail(w, err)
		return
	}
	response, err := client.Get(os.Getenv("TARGET"))
	if err != nil {
		service.Fail(w, err)
		return
	}
	defer response.Body.Close()
	fmt.Fprintln(w, response.Status)
	if _, err := io.Copy(w, io.LimitReader(response.Body, 1<<20)); err != nil {
		service.Fail(w, err)
	}
}
