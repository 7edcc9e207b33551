// Command zombies leaves an ended process behind each second when it is process 1: a child's child, which nobody waits for.
package main

import (
	"log"
	"os"
	"os/exec"
	"time"

	"example.com/wherry-apps/internal/service"
)

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "child":
		start("grandchild") // and ends before it does
	case len(os.Args) > 1 && os.Args[1] == "grandchild":
		time.Sleep(100 * time.Millisecond)
	default:
		go func() {
			for ; ; time.Sleep(time.Second) {
				if err := start("child").Wait(); err != nil {
					log.Print(err)
				}
			}
		}()
		service.Run(service.Handler(nil))
	}
}

func start(word string) *exec.Cmd {
	command := exec.Command("/proc/self/exe", word)
	if err := command.Start(); err != nil {
		log.Fatal(err)
	}
	return command
}
