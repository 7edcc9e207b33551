package health

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
)

// Answer is what LivePath, ReadyPath and StartPath say.
type Answer struct {
	Status string `json:"status"`
	// Reason is why it is not ready: starting, draining or checks.
	Reason string             `json:"reason,omitempty"`
	Checks map[string]Outcome `json:"checks,omitempty"`
}

// Handler answers LivePath, ReadyPath, StartPath and VersionPath, and leaves everything else to next, whatever router that is.
// With nil for next it answers nothing else, as on a port of its own.
func (c *Checker) Handler(next http.Handler) http.Handler {
	if next == nil {
		next = http.NotFoundHandler()
	}
	own := http.NewServeMux()
	own.HandleFunc(LivePath, answers(c.liveness))
	own.HandleFunc(ReadyPath, answers(c.ready))
	own.HandleFunc(StartPath, answers(c.startup))
	own.HandleFunc(VersionPath, answers(c.versions))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler, pattern := own.Handler(r); pattern != "" && pattern == r.URL.Path {
			handler.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// StatusHandler answers a whole Report: 200 when healthy or degraded, 500 when a restart is needed or a check panicked, else
// 503. It tells strangers more than they need, so Handler leaves it out; mount it on a private port.
func (c *Checker) StatusHandler() http.Handler {
	return answers(func(ctx context.Context) (int, any) { return c.report(ctx) })
}

func (c *Checker) liveness(ctx context.Context) (int, any) {
	checks := c.live.ask(ctx)
	if _, failed := worst(checks); failed {
		return http.StatusInternalServerError, Answer{Status: "not alive", Checks: checks}
	}
	return http.StatusOK, Answer{Status: "alive", Checks: checks}
}

func (c *Checker) ready(ctx context.Context) (int, any) {
	// Whoever starts or drains wants no requests, whatever the checks say; they are not run in vain.
	switch {
	case c.draining.Load():
		return http.StatusServiceUnavailable, Answer{Status: "not ready", Reason: "draining"}
	case !c.started.Load():
		return http.StatusServiceUnavailable, Answer{Status: "not ready", Reason: "starting"}
	}
	checks := c.readiness.ask(ctx)
	if code, failed := worst(checks); failed {
		return code, Answer{Status: "not ready", Reason: "checks", Checks: checks}
	}
	return http.StatusOK, Answer{Status: "ready", Checks: checks}
}

func (c *Checker) startup(context.Context) (int, any) {
	if !c.started.Load() {
		return http.StatusServiceUnavailable, Answer{Status: "starting"}
	}
	return http.StatusOK, Answer{Status: "started"}
}

func (c *Checker) versions(context.Context) (int, any) {
	build := built()
	build.Version = c.version
	return http.StatusOK, build
}

// worst returns the code for outcomes of which one counts: 500 for a panic, which is a bug here, else 503.
func worst(checks map[string]Outcome) (code int, failed bool) {
	code = http.StatusOK
	for _, one := range checks {
		switch {
		case one.Status == Panicked:
			return http.StatusInternalServerError, true
		case one.Status != OK && !one.Optional:
			code, failed = http.StatusServiceUnavailable, true
		}
	}
	return code, failed
}

// answers writes what ask says as JSON, for GET and HEAD.
func answers(ask func(context.Context) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		code, value := ask(r.Context())
		body, err := json.Marshal(value)
		if err != nil { // before anything is written, so that it can still be said
			http.Error(w, "no answer", http.StatusInternalServerError)
			return
		}
		header.Set("Content-Type", "application/json")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Length", strconv.Itoa(len(body)+1))
		w.WriteHeader(code)
		if r.Method == http.MethodGet {
			_, _ = w.Write(append(body, '\n')) // an error here means that who asked has gone
		}
	}
}
