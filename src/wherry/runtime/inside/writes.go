package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	mostEntries = 50_000
	mostNames   = 50
	probe       = ".wherry-tried-this"
)

// Writes are the tries outside of the places that may be written to, and one in each of these.
type Writes struct {
	Tried     int            `json:"tried"`
	Refused   map[string]int `json:"refused"`   // by the name of the error
	Made      []string       `json:"made"`      // files that could be made; gone again
	Opened    []string       `json:"opened"`    // files that could be opened for writing
	Changed   []string       `json:"changed"`   // whose mode could be set, to what it was
	Writable  []string       `json:"writable"`  // declared places that can be written to
	Unwilling []string       `json:"unwilling"` // declared places that cannot
	Cut       bool           `json:"cut"`       // there is more than was tried
}

// kernels are the kernel's own trees: their tops are tried, not their thousands of files.
var kernels = map[string]bool{"/proc": true, "/sys": true, "/dev": true}

// dangerous are files of the kernel's that lead out of a container when they can be written to.
var dangerous = []string{
	"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/panic_on_oom", "/proc/sysrq-trigger",
	"/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/dev/mem", "/dev/kmsg",
}

func writes(declared []string) *Writes {
	found := &Writes{Refused: map[string]int{}}
	for _, place := range declared {
		if makes(place) == nil {
			found.Writable = append(found.Writable, place)
		} else {
			found.Unwilling = append(found.Unwilling, place)
		}
	}
	entries := 0
	_ = filepath.WalkDir("/", func(path string, entry fs.DirEntry, _ error) error {
		if entry == nil || path == os.Args[0] {
			return nil
		}
		for _, place := range declared {
			if path == place || strings.HasPrefix(path, place+"/") {
				return skip(entry)
			}
		}
		if entries++; entries > mostEntries {
			found.Cut = true
			return fs.SkipAll
		}
		found.try(path, entry)
		if kernels[path] {
			return fs.SkipDir
		}
		return nil
	})
	// Not /dev/mqueue: Docker mounts it always, and queues of messages are no files.
	for _, path := range append(dangerous, "/dev/shm", "/sys/fs/cgroup") {
		if entry, err := os.Lstat(path); err == nil {
			found.try(path, fs.FileInfoToDirEntry(entry))
		}
	}
	return found
}

func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// try does nothing that stays: what it makes it takes away, and a mode is set to what it is.
func (found *Writes) try(path string, entry fs.DirEntry) {
	switch {
	case entry.IsDir():
		found.count(path, makes(path), &found.Made)
	case entry.Type().IsRegular():
		found.count(path, opens(path), &found.Opened)
	default:
		return
	}
	if info, err := entry.Info(); err == nil && !strings.HasPrefix(path, "/proc") && !strings.HasPrefix(path, "/sys") {
		found.count(path, syscall.Chmod(path, uint32(info.Sys().(*syscall.Stat_t).Mode&0o7777)), &found.Changed)
	}
}

func (found *Writes) count(path string, err error, done *[]string) {
	found.Tried++
	if err != nil {
		found.Refused[name(err)]++
	} else if len(*done) < mostNames {
		*done = append(*done, path)
	} else {
		found.Cut = true
	}
}

func makes(folder string) error {
	path := filepath.Join(folder, probe)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_ = file.Close()
	_ = os.Remove(path)
	return nil
}

func opens(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

func name(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return err.Error()
}
