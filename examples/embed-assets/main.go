// Command embed-assets serves a page from the binary and shows a file from the image.
package main

import (
	"embed"
	"log"
	"net/http"
)

//go:embed static
var static embed.FS

func main() {
	http.Handle("/static/", http.FileServerFS(static))
	http.HandleFunc("/config", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "/etc/app/app.yaml") })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
