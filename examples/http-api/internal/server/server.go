// Package server holds the routes.
package server

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// API answers requests until it drains.
type API struct {
	version  string
	draining atomic.Bool
}

// New makes an API that reports version.
func New(version string) *API { return &API{version: version} }

// Drain makes the readiness route say no, so that no new requests are sent here.
func (a *API) Drain() { a.draining.Store(true) }

// Handler is the routing table.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("GET /version", a.reportVersion)
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) })
	return mux
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	if a.draining.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (a *API) reportVersion(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]string{"version": a.version})
}
