package main

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
)

const chunk = 1 << 20

// Memory is how a child ended that took more and more.
type Memory struct {
	Reached int    `json:"reached"` // bytes that it had
	Killed  bool   `json:"killed"`  // by SIGKILL, while it took them
	Error   string `json:"error"`
}

func memory(most int) *Memory {
	read, write, err := os.Pipe()
	if err != nil {
		return &Memory{Error: err.Error()}
	}
	child, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], "take", strconv.Itoa(most)}, &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{nil, nil, os.Stderr, write},
	})
	_ = write.Close()
	if err != nil {
		return &Memory{Error: err.Error()}
	}
	marks, _ := io.Copy(io.Discard, read)
	state, err := child.Wait()
	if err != nil {
		return &Memory{Error: err.Error()}
	}
	status := state.Sys().(syscall.WaitStatus)
	return &Memory{Reached: int(marks) * chunk, Killed: status.Signaled() && status.Signal() == syscall.SIGKILL}
}

// take has the kernel choose this process, and not its parent; memory that nobody wrote to would cost nothing.
func take(most int) {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	for taken := 0; taken < most; taken += chunk {
		block, err := syscall.Mmap(-1, 0, chunk, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			os.Exit(3)
		}
		for at := 0; at < chunk; at += os.Getpagesize() {
			block[at] = 1
		}
		if _, err := syscall.Write(3, []byte{1}); err != nil {
			os.Exit(4)
		}
	}
}

// Pids is how many processes and threads there could be.
type Pids struct {
	Had   int    `json:"had"`   // children
	Error string `json:"error"` // what refused the next one
}

// pids clones without exec, since a child of Go's brings its own threads. The children do nothing but sleep, and all is done in
// raw system calls: Go ends a program that cannot have the thread it wants.
func pids(most int) *Pids {
	keepThreads(8)
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	children := make([]uintptr, 0, most)
	var refused syscall.Errno
	for len(children) < most && refused == 0 {
		var child uintptr
		child, _, refused = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if refused == 0 && child == 0 {
			for {
				syscall.RawSyscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
		if refused == 0 {
			children = append(children, child)
		}
	}
	for _, child := range children {
		syscall.RawSyscall(syscall.SYS_KILL, child, uintptr(syscall.SIGKILL), 0)
	}
	for _, child := range children {
		syscall.RawSyscall6(syscall.SYS_WAIT4, child, 0, 0, 0, 0, 0)
	}
	found := &Pids{Had: len(children)}
	if refused != 0 {
		found.Error = refused.Error()
	}
	return found
}

// keepThreads makes threads that Go uses again later.
func keepThreads(count int) {
	var running sync.WaitGroup
	running.Add(count)
	for range make([]struct{}, count) {
		go func() {
			runtime.LockOSThread()
			running.Done()
			running.Wait()
			runtime.UnlockOSThread()
		}()
	}
	running.Wait()
}
