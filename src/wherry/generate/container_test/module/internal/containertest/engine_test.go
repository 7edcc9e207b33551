//go:build container

package containertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// engine is what builds images and runs containers.
type engine interface {
	build(reference string) (string, error) // returns what to call it from now on
	image(reference string) (image, error)
	forget(reference string) error
	run(reference, name string, secrets map[string]string) error
	state(name string) (state, error)
	address(name string) (string, error)
	logs(name string) (string, error)
	stop(name string, grace time.Duration) error
	remove(name string) error
}

// image is what an engine says of one.
type image struct {
	user       string
	entrypoint []string
	ports      []string // NUMBER/tcp
	size       int64    // bytes, unpacked
}

// state is what an engine says of a container.
type state struct {
	running         bool
	health          string // starting, healthy, unhealthy; empty: the image has no check
	code            int
	user            string
	readOnly        bool
	capabilities    []string
	noNewPrivileges bool
	memory          int64
	processes       int64
}

// subject is built once for all tests.
var subject struct {
	once      sync.Once
	engine    engine
	reference string
	built     bool
	skip      string
	err       error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if subject.built {
		if err := subject.engine.forget(subject.reference); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// built returns the engine and the image, or ends the test.
func built(t *testing.T) (engine, string) {
	t.Helper()
	subject.once.Do(func() {
		subject.engine, subject.skip, subject.err = choose()
		if subject.engine == nil {
			return
		}
		if subject.reference = os.Getenv("CONTAINER_IMAGE"); subject.reference == "" {
			subject.reference, subject.err = subject.engine.build(unique())
			subject.built = subject.err == nil
		}
	})
	switch {
	case subject.err != nil:
		t.Fatal(subject.err)
	case subject.skip != "" && os.Getenv("CI") == "true":
		t.Fatal(subject.skip)
	case subject.skip != "":
		t.Skip(subject.skip)
	}
	return subject.engine, subject.reference
}

// choose takes the tool that CONTAINER_TOOL names, else the first that works here.
func choose() (chosen engine, skip string, err error) {
	tools := []string{"wherry", "docker", "podman"}
	if name := os.Getenv("CONTAINER_TOOL"); name != "" {
		if !contains(tools, name) {
			return nil, "", fmt.Errorf("CONTAINER_TOOL=%s is none of %s", name, strings.Join(tools, ", "))
		}
		if err := works(name); err != nil {
			return nil, "", err
		}
		return named(name), "", nil
	}
	for _, name := range tools {
		if works(name) == nil {
			return named(name), "", nil
		}
	}
	return nil, "none of " + strings.Join(tools, ", ") + " works here, so nothing was tested", nil
}

func named(name string) engine {
	if name == "wherry" {
		return &wherry{}
	}
	return &daemon{program: name}
}

// works asks for the version, of docker that of its daemon.
func works(name string) error {
	words := map[string][]string{"wherry": {"--version"}, "docker": {"version", "--format={{.Server.Version}}"}, "podman": {"info"}}
	_, err := say(name, words[name]...)
	return err
}

// say runs a program in the repository's root and returns what it prints. An error holds all its words.
func say(program string, words ...string) (string, error) {
	out, all, err := run(program, words)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(words, " "), err, all)
	}
	return out, nil
}

// both is for what prints to either stream: the log of a program.
func both(program string, words ...string) (string, error) {
	_, all, err := run(program, words)
	return all, err
}

func run(program string, words []string) (out, all string, err error) {
	root, err := filepath.Abs(Root)
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute) // a first build compiles everything
	defer cancel()
	var printed bytes.Buffer
	var mixed locked
	command := exec.CommandContext(ctx, program, words...)
	command.Dir = root
	command.Stdout = io.MultiWriter(&printed, &mixed)
	command.Stderr = &mixed
	err = command.Run()
	return printed.String(), mixed.String(), err
}

// locked takes the words of both streams, each of which has a goroutine.
type locked struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (l *locked) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(data)
}

func (l *locked) String() string { return l.said.String() }
