//go:build container

package containertest

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// container is one that runs for a test.
type container struct {
	engine  engine
	name    string
	address string // of Port on this machine; empty without one
	secrets []string
}

// start runs the image until the test ends.
func start(t *testing.T) *container {
	t.Helper()
	chosen, image := built(t)
	one := &container{engine: chosen, name: unique()}
	t.Cleanup(func() { // before it is started: a start that fails half-way leaves something, too
		if err := chosen.remove(one.name); err != nil {
			t.Errorf("%s is still there: %v", one.name, err)
		}
	})
	if err := chosen.run(image, one.name, one.files(t)); err != nil {
		t.Fatal(err)
	}
	if Port != 0 {
		one.address = one.published(t)
	}
	return one
}

// files makes the secrets, whose contents nobody may see again.
func (c *container) files(t *testing.T) map[string]string {
	t.Helper()
	folder, made := t.TempDir(), map[string]string{}
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil { // the container's user reads them
		t.Fatal(err)
	}
	for _, name := range Secrets {
		content, path := unique(), filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o444); err != nil {
			t.Fatal(err)
		}
		c.secrets, made[name] = append(c.secrets, content), path
	}
	return made
}

func (c *container) published(t *testing.T) string {
	t.Helper()
	var address string
	c.until(t, "a port of its own", func() error {
		found, err := c.engine.address(c.name)
		if err == nil && found == "" {
			err = fmt.Errorf("port %d is not published", Port)
		}
		address = found
		return err
	})
	return address
}

// healthy waits until the program answers, and until its engine says healthy where the image says how to ask.
func (c *container) healthy(t *testing.T) {
	t.Helper()
	switch {
	case LivePath != "":
		c.until(t, LivePath, func() error { return c.get(LivePath) })
	case Port != 0:
		c.until(t, "its port", func() error {
			conn, err := net.DialTimeout("tcp", c.address, time.Second)
			if err == nil {
				err = conn.Close()
			}
			return err
		})
	}
	c.until(t, "its health check", func() error {
		now, err := c.engine.state(c.name)
		if err == nil && now.health != "" && now.health != "healthy" {
			err = fmt.Errorf("it is %s", now.health)
		}
		return err
	})
}

// until asks again and again. It fails the test when the container has ended or Patience has, and shows the log.
func (c *container) until(t *testing.T, what string, asked func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = asked(); err == nil {
			return
		}
		if now, failed := c.engine.state(c.name); failed == nil && !now.running {
			err = fmt.Errorf("it ended with %d", now.code)
			break
		}
	}
	logs, _ := c.engine.logs(c.name)
	t.Fatalf("%s: %v\n%s", what, err, logs)
}

func (c *container) get(path string) error {
	scheme := "http"
	if HTTPS {
		scheme = "https"
	}
	config := &tls.Config{InsecureSkipVerify: true} // #nosec G402 -- its certificate belongs to a name, not to loopback
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	response, err := client.Get(scheme + "://" + c.address + path)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return nil
}

// unique is a name that no other test has.
func unique() string {
	number := make([]byte, 6)
	if _, err := rand.Read(number); err != nil {
		panic(err)
	}
	return Name + "-test-" + hex.EncodeToString(number)
}

func TestImage(t *testing.T) {
	t.Parallel()
	chosen, reference := built(t)
	image, err := chosen.image(reference)
	if err != nil {
		t.Fatalf("the image is not there: %v", err)
	}
	if image.user != User {
		t.Errorf("it runs as %q, not as %q", image.user, User)
	}
	if len(image.entrypoint) == 0 {
		t.Error("it starts nothing")
	}
	if port := fmt.Sprintf("%d/tcp", Port); Port != 0 && !contains(image.ports, port) {
		t.Errorf("it says %q, and %s is where it listens", image.ports, port)
	}
	if image.size <= 0 || MostBytes != 0 && image.size > MostBytes {
		t.Errorf("unpacked it has %d bytes, and the budget is %d", image.size, MostBytes)
	}
	t.Logf("%s: %.1f MB unpacked", reference, float64(image.size)/1e6)
}

func TestItBecomesHealthy(t *testing.T) {
	t.Parallel()
	one := start(t)
	one.healthy(t)
	if ReadyPath != "" {
		one.until(t, ReadyPath, func() error { return one.get(ReadyPath) })
	}
	now, err := one.engine.state(one.name)
	if err != nil || !now.running {
		t.Errorf("running: %t, %v", now.running, err)
	}
}

func TestItMayDoLittle(t *testing.T) {
	t.Parallel()
	one := start(t)
	one.healthy(t) // and it works all the same
	now, err := one.engine.state(one.name)
	if err != nil {
		t.Fatal(err)
	}
	if now.user != User {
		t.Errorf("it runs as %q, not as %q", now.user, User)
	}
	if !now.readOnly {
		t.Error("it may write anywhere")
	}
	if len(now.capabilities) != 0 {
		t.Errorf("it has %q", now.capabilities)
	}
	if !now.noNewPrivileges {
		t.Error("it may gain privileges")
	}
	if now.memory != Memory || now.processes != Processes {
		t.Errorf("its limits are %d bytes and %d processes", now.memory, now.processes)
	}
}

func TestItsLog(t *testing.T) {
	t.Parallel()
	one := start(t)
	one.healthy(t)
	logs, err := one.engine.logs(one.name)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range append(one.secrets, "panic:", "fatal error:", "read-only file system", "permission denied") {
		if strings.Contains(logs, bad) {
			t.Errorf("it says %q:\n%s", bad, logs)
		}
	}
}

func TestItStopsInPeace(t *testing.T) {
	t.Parallel()
	one := start(t)
	one.healthy(t)
	begun := time.Now()
	if err := one.engine.stop(one.name, Grace); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	now, err := one.engine.state(one.name)
	if err != nil {
		t.Fatal(err)
	}
	// 143 is the end by SIGTERM itself. As the first process of a container a program that does not handle it is killed: 137.
	if now.running || now.code != 0 && now.code != 143 {
		logs, _ := one.engine.logs(one.name)
		t.Errorf("after %s it ended with %d (running: %t)\n%s", took, now.code, now.running, logs)
	}
	if took >= Grace {
		t.Errorf("it took %s of %s", took, Grace)
	}
	if Port != 0 {
		if conn, err := net.DialTimeout("tcp", one.address, time.Second); err == nil {
			_ = conn.Close()
			t.Error("its port is still open")
		}
	}
}

func contains(words []string, word string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}
