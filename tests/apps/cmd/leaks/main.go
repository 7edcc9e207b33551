// Command leaks holds 8 MB for each request of any route, and 16 MB for each second.
package main

import (
	"sync"
	"time"

	"example.com/wherry-apps/internal/service"
)

var (
	lock sync.Mutex
	held [][]byte
)

func main() {
	go func() {
		for range time.Tick(250 * time.Millisecond) {
			leak(4 << 20)
		}
	}()
	service.Run(service.Before(func() { leak(8 << 20) }, service.Handler(nil)))
}

// leak touches each page, as memory that nobody wrote to costs nothing.
func leak(size int) {
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	lock.Lock()
	held = append(held, block)
	lock.Unlock()
}
