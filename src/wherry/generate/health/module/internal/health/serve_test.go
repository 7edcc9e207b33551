package health

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// running serves handler on a port of its own, as Serve would, until its context ends.
func running(t *testing.T, checker *Checker, handler http.Handler) (address string, server *http.Server) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	_ = listener.Close()
	server = &http.Server{Addr: address, Handler: checker.Handler(handler), ReadHeaderTimeout: 5 * time.Second}
	withCertificate(t, server)
	return address, server
}

// eventually waits until the program answers path as it should.
func eventually(t *testing.T, address, path, problem string) {
	t.Helper()
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		err = ask(address, path, time.Second)
		if err == nil && problem == "" || err != nil && problem != "" && strings.Contains(err.Error(), problem) {
			return
		}
	}
	t.Fatalf("%s says %v, not %q", path, err, problem)
}

func TestStopping(t *testing.T) {
	t.Parallel()
	checker, _, _ := quiet("")
	checker.Started()
	entered, release := make(chan struct{}), make(chan struct{})
	address, server := running(t, checker, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-release
		}
		_, _ = io.WriteString(w, "done")
	}))
	go func() { _ = listen(server) }()
	eventually(t, address, ReadyPath, "")

	slow, stopped := make(chan error, 1), make(chan error, 1)
	go func() { slow <- ask(address, "/slow", 30*time.Second) }()
	<-entered
	const pause = 2 * time.Second
	begun := time.Now()
	go func() { stopped <- stop(checker, server, pause, 30*time.Second) }()

	eventually(t, address, ReadyPath, "503")
	if err := ask(address, "/new", time.Second); err != nil && time.Since(begun) < pause {
		t.Errorf("not ready, and it does not answer those who have not noticed: %v", err)
	}
	eventually(t, address, LivePath, "refused")
	if waited := time.Since(begun); waited < pause {
		t.Errorf("the port was closed after %s", waited)
	}
	select {
	case err := <-stopped:
		t.Fatalf("it ended under a request: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if err := <-slow; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestRequestsThatTakeTooLongAreCutOff(t *testing.T) {
	checker, _, _ := quiet("")
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	address, server := running(t, checker, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	}))
	go func() { _ = listen(server) }()
	eventually(t, address, LivePath, "")
	lost := make(chan error, 1)
	go func() { lost <- ask(address, "/slow", 30*time.Second) }()
	<-entered
	if err := stop(checker, server, 0, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("it says %v", err)
	}
	select {
	case err := <-lost:
		if err == nil {
			t.Error("the request has an answer")
		}
	case <-time.After(10 * time.Second):
		t.Error("its connection is still open")
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	checker, _, _ := quiet("")
	address, server := running(t, checker, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- checker.Serve(ctx, server) }()
	eventually(t, address, LivePath, "")
	begun := time.Now()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took < DrainPause || took > DrainPause+DrainLimit {
		t.Errorf("it took %s", took)
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	checker, _, _ := quiet("")
	address, server := running(t, checker, nil)
	taken, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	if err := checker.Serve(context.Background(), server); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("it says %v", err)
	}
}

func TestAServerThatSomebodyElseCloses(t *testing.T) {
	checker, _, _ := quiet("")
	_, server := running(t, checker, nil)
	_ = server.Close()
	if err := checker.Serve(context.Background(), server); err != nil {
		t.Error(err)
	}
}
