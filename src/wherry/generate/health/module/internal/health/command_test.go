package health

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	checker, _, _ := quiet("")
	address, server := running(t, checker, nil)
	go func() { _ = listen(server) }()
	defer func() { _ = server.Close() }()
	eventually(t, address, LivePath, "")
	if code := Command(address); code != 0 {
		t.Errorf("alive, and it ends with %d", code)
	}
	_, port, _ := net.SplitHostPort(address)
	if code := Command(":" + port); code != 0 {
		t.Errorf("as a server is told its address, it ends with %d", code)
	}
	checker.AddLiveness(Check{Name: "loop", Test: failing})
	if code := Command(address); code != 1 {
		t.Errorf("not alive, and it ends with %d", code)
	}
	_ = server.Close()
	if code := Command(address); code != 1 {
		t.Errorf("nobody there, and it ends with %d", code)
	}
	if code := Command("4711"); code != 1 {
		t.Errorf("no address, and it ends with %d", code)
	}
}

func TestWhatIsNoGoodAnswer(t *testing.T) {
	checker, _, _ := quiet("")
	release := make(chan struct{})
	address, server := running(t, checker, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, LivePath, http.StatusFound)
		case "/slow":
			<-release
		case "/proxy":
			if r.Header.Get("User-Agent") == "" || r.Host != r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() {
				w.WriteHeader(http.StatusBadRequest)
			}
		}
	}))
	go func() { _ = listen(server) }()
	defer func() { close(release); _ = server.Close() }()
	eventually(t, address, LivePath, "")
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:9")
	if err := ask(address, "/proxy", 5*time.Second); err != nil {
		t.Errorf("a plain request: %v", err)
	}
	if err := ask(address, "/moved", 5*time.Second); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("elsewhere: %v", err)
	}
	begun := time.Now()
	if err := ask(address, "/slow", 50*time.Millisecond); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("no answer in time: %v after %s", err, time.Since(begun))
	}
}

func TestReachable(t *testing.T) {
	for listened, asked := range map[string]string{
		":4711": "127.0.0.1:4711", "0.0.0.0:4711": "127.0.0.1:4711", "[::]:4711": "127.0.0.1:4711",
		"127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "10.0.0.7:80": "10.0.0.7:80", "name:80": "name:80",
	} {
		if got, err := reachable(listened); got != asked || err != nil {
			t.Errorf("%s: %q, %v", listened, got, err)
		}
	}
}
