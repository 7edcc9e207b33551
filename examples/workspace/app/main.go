// Command app uses a neighbouring module.
package main

import (
	"fmt"
	"log"
	"net/http"

	"example.com/workspace/greeting"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, greeting.Words()) })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
