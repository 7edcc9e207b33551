// Command worker is one of three programs in this module.
package main

import (
	"fmt"
	"log"
	"net/http"
)

func main() {
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "worker is well") })
	log.Fatal(http.ListenAndServe(":8081", nil))
}
