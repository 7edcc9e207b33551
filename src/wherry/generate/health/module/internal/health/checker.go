package health

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// Checker knows how the program is. All its methods may be called at any time, from any goroutine; its fields are set before.
type Checker struct {
	// ShowErrors puts what failed checks said into the answers. Leave it off where strangers can ask: errors tell names of
	// hosts, users and tables. They are logged anyway.
	ShowErrors bool
	// Log is told when a check begins to fail and when it is well again. nil means slog.Default().
	Log *slog.Logger

	version         string
	begun           time.Time
	now             func() time.Time
	started         atomic.Bool
	draining        atomic.Bool
	readiness, live group
}

// New makes a Checker for a program that has begun, but not Started. The version is what it reports; when it is empty, the
// version that Go wrote into the binary.
func New(version string) *Checker {
	if version == "" {
		version = built().Version
	}
	return &Checker{version: version, begun: time.Now(), now: time.Now}
}

// AddReadiness adds something without which this copy of the program can answer no requests: a database, a warm cache.
// It panics for a check without name or Test, or with a name that is taken.
func (c *Checker) AddReadiness(check Check) { c.readiness.add(check, c) }

// AddLiveness adds something that only a restart mends, like a lock that nobody gives back. Never a server elsewhere. It panics
// like AddReadiness.
func (c *Checker) AddLiveness(check Check) { c.live.add(check, c) }

// Heartbeat adds a liveness check of a loop that has to call beat at least every limit; the first time counts from now.
func (c *Checker) Heartbeat(name string, limit time.Duration) (beat func()) {
	var last atomic.Int64
	beat = func() { last.Store(c.now().UnixNano()) }
	beat()
	c.AddLiveness(Check{Name: name, Test: func(context.Context) error {
		if c.now().UnixNano()-last.Load() > int64(limit) {
			return errors.New("no heartbeat for more than " + limit.String())
		}
		return nil
	}})
	return beat
}

// Started says that the program has done what it has to do before its first request.
func (c *Checker) Started() { c.started.Store(true) }

// Drain says that no new requests are wanted: from now on the program is not ready. Serve calls it.
func (c *Checker) Drain() { c.draining.Store(true) }

func (c *Checker) log() *slog.Logger {
	if c.Log != nil {
		return c.Log
	}
	return slog.Default()
}
