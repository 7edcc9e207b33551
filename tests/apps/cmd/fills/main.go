// Command fills writes to its temporary folder until it is refused, and serves on.
package main

import (
	"os"

	"example.com/wherry-apps/internal/service"
)

func main() {
	go fill()
	service.Run(service.Handler(nil))
}

func fill() {
	file, err := os.Create(os.TempDir() + "/fill")
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = file.Write(block)
	}
	service.Refused(err)
}
