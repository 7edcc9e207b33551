package health

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func get(handler http.Handler, path string) *httptest.ResponseRecorder {
	return do(handler, http.MethodGet, path)
}

func do(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

// want compares the code and the body, a JSON text.
func want(t *testing.T, got *httptest.ResponseRecorder, code int, body string) {
	t.Helper()
	if got.Code != code || strings.TrimSpace(got.Body.String()) != body {
		t.Errorf("got %d %s, want %d %s", got.Code, got.Body, code, body)
	}
}

func failing(context.Context) error { return errDown }

func well(context.Context) error { return nil }

func panicking(context.Context) error { panic("a bug") }

func TestReadiness(t *testing.T) {
	checker, _, _ := quiet("")
	handler := checker.Handler(nil)
	checker.AddReadiness(Check{Name: "db", Test: well})
	want(t, get(handler, ReadyPath), 503, `{"status":"not ready","reason":"starting"}`)
	checker.Started()
	want(t, get(handler, ReadyPath), 200, `{"status":"ready","checks":{"db":{"status":"ok"}}}`)
	checker.AddReadiness(Check{Name: "mail", Test: failing, Optional: true})
	want(t, get(handler, ReadyPath), 200,
		`{"status":"ready","checks":{"db":{"status":"ok"},"mail":{"status":"failed","optional":true}}}`)
	checker.Drain()
	want(t, get(handler, ReadyPath), 503, `{"status":"not ready","reason":"draining"}`)
	want(t, get(handler, LivePath), 200, `{"status":"alive"}`)
	want(t, get(handler, StartPath), 200, `{"status":"started"}`)
}

func TestAFailedCheckIs503AndAPanicIs500(t *testing.T) {
	for code, test := range map[int]func(context.Context) error{503: failing, 500: panicking} {
		checker, _, _ := quiet("")
		checker.Started()
		checker.AddReadiness(Check{Name: "db", Test: well})
		checker.AddReadiness(Check{Name: "queue", Test: test})
		got := get(checker.Handler(nil), ReadyPath)
		if got.Code != code {
			t.Errorf("got %d, want %d", got.Code, code)
		}
		if strings.Contains(got.Body.String(), "db.internal") || strings.Contains(got.Body.String(), "a bug") {
			t.Errorf("strangers read %s", got.Body)
		}
	}
}

func TestNoCheckIsRunInVain(t *testing.T) {
	checker, _, _ := quiet("")
	ran := false
	checker.AddReadiness(Check{Name: "db", Test: func(context.Context) error { ran = true; return nil }})
	get(checker.Handler(nil), ReadyPath) // starting
	checker.Started()
	checker.Drain()
	get(checker.Handler(nil), ReadyPath)
	get(checker.Handler(nil), LivePath)
	if ran {
		t.Error("nobody needs the answer")
	}
}

func TestLiveness(t *testing.T) {
	checker, _, _ := quiet("")
	handler := checker.Handler(nil)
	checker.AddReadiness(Check{Name: "db", Test: failing})
	want(t, get(handler, LivePath), 200, `{"status":"alive"}`)
	checker.AddLiveness(Check{Name: "loop", Test: failing})
	want(t, get(handler, LivePath), 500, `{"status":"not alive","checks":{"loop":{"status":"failed"}}}`)
}

func TestStartup(t *testing.T) {
	checker, _, _ := quiet("")
	handler := checker.Handler(nil)
	want(t, get(handler, StartPath), 503, `{"status":"starting"}`)
	checker.Started()
	want(t, get(handler, StartPath), 200, `{"status":"started"}`)
}

func TestVersion(t *testing.T) {
	checker, _, _ := quiet("1.2.3")
	got := get(checker.Handler(nil), VersionPath)
	var build Build
	if err := json.Unmarshal(got.Body.Bytes(), &build); err != nil || got.Code != 200 {
		t.Fatal(got.Code, err)
	}
	if build.Version != "1.2.3" || !strings.HasPrefix(build.Go, "go") {
		t.Errorf("%+v", build)
	}
	if unnamed := New(""); unnamed.version == "" {
		t.Error("no version at all")
	}
}

func TestMethodsAndHeaders(t *testing.T) {
	checker, _, _ := quiet("")
	handler := checker.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("not its path") }))
	for _, path := range []string{LivePath, ReadyPath, StartPath, VersionPath} {
		read := get(handler, path)
		header := read.Header()
		if header.Get("Cache-Control") != "no-store" || header.Get("Content-Type") != "application/json" ||
			header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, header)
		}
		head := do(handler, http.MethodHead, path)
		if head.Code != read.Code || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d %q", path, head.Code, head.Body)
		}
		if head.Header().Get("Content-Length") != strconv.Itoa(read.Body.Len()) {
			t.Errorf("HEAD %s: %v", path, head.Header())
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "BREW"} {
			if got := do(handler, method, path); got.Code != 405 || got.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d %v", method, path, got.Code, got.Header())
			}
		}
	}
}

func TestEverythingElseIsForTheNext(t *testing.T) {
	checker, _, _ := quiet("")
	handler := checker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Method + " " + r.URL.Path))
	}))
	for _, path := range []string{"/", "/items/1", "/a//b", "/a/../b", "/" + LivePath, LivePath + "/more"} {
		want(t, do(handler, http.MethodPost, path), 200, "POST "+path)
	}
	if got := get(checker.Handler(nil), "/"); got.Code != 404 {
		t.Errorf("without a next: %d", got.Code)
	}
}
