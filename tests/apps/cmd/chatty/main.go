// Command chatty logs 10 MB a second; before that, if $LONG_LINE says so, one line of that many bytes.
package main

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	service.Heed()
	server := service.Start(service.Handler(nil))
	go chat()
	service.AwaitStop()
	service.Drain(server)
}

func chat() {
	long, _ := strconv.Atoi(os.Getenv("LONG_LINE"))
	for left := long; left > 0; left -= 1 << 16 {
		write(bytes.Repeat([]byte("x"), min(left, 1<<16)))
	}
	if long > 0 {
		write([]byte("\n"))
	}
	lines := bytes.Repeat(append(bytes.Repeat([]byte("y"), 999), '\n'), 100)
	for range time.Tick(10 * time.Millisecond) {
		write(lines)
	}
}

func write(data []byte) {
	if _, err := os.Stdout.Write(data); err != nil {
		os.Exit(1)
	}
}
