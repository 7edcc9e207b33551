// Command cgo-sqlite keeps its data in SQLite, through a package that needs a C compiler.
package main

import (
	"log"
	"net/http"

	"example.com/cgo-sqlite/internal/store"
)

func main() {
	db, err := store.Open(":memory:")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if err := db.Ping(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
