// Command writable-dirs keeps a counter in a file, which its user must be able to write.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

func main() {
	var mu sync.Mutex
	file := filepath.Join("/var/lib/counter", "count")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		old, _ := os.ReadFile(file)
		count, _ := strconv.Atoi(strings.TrimSpace(string(old)))
		if err := os.WriteFile(file, []byte(strconv.Itoa(count+1)), 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, count+1)
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
