// Command forks starts 50 sleeping copies of itself a second until it is refused, goes on trying, and serves.
package main

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "sleep" {
		time.Sleep(time.Minute)
		return
	}
	signal.Ignore(syscall.SIGCHLD) // a copy that ends for want of threads leaves nothing behind
	keepThreads(16)
	go func() {
		refused := false
		for range time.Tick(20 * time.Millisecond) {
			_, err := os.StartProcess("/proc/self/exe", []string{"forks", "sleep"}, &os.ProcAttr{})
			if err != nil && !refused {
				service.Refused(err)
				refused = true
			}
		}
	}()
	service.Run(service.Handler(nil))
}

// keepThreads makes the threads that serving takes: Go ends a program that cannot have a new one.
func keepThreads(count int) {
	var running sync.WaitGroup
	running.Add(count)
	for range count {
		go func() {
			runtime.LockOSThread()
			running.Done()
			running.Wait()
			runtime.UnlockOSThread()
		}()
	}
	running.Wait()
}
