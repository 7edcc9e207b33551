package health

import (
	"context"
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"
)

// Report is everything that is known of the running program.
type Report struct {
	// Status is healthy, degraded (an optional check fails), unhealthy, starting or draining.
	Status        string    `json:"status"`
	Timestamp     time.Time `json:"timestamp"`
	Version       string    `json:"version"`
	Revision      string    `json:"revision,omitempty"`
	Uptime        string    `json:"uptime"` // like 1h2m3s: a time.Duration would be nanoseconds
	UptimeSeconds float64   `json:"uptime_seconds"`
	Goroutines    uint64    `json:"goroutines"`
	Memory        Memory    `json:"memory"`
	// Environment has GOOS, GOARCH, GOVERSION, GOMAXPROCS, and GOMEMLIMIT in bytes or off.
	Environment map[string]string  `json:"environment"`
	Checks      map[string]Outcome `json:"checks,omitempty"`
}

// Memory is counted in bytes.
type Memory struct {
	Alloc      uint64 `json:"alloc"`       // in objects on the heap, live or not yet collected
	TotalAlloc uint64 `json:"total_alloc"` // ever allocated
	Sys        uint64 `json:"sys"`         // got from the operating system
	NumGC      uint64 `json:"num_gc"`      // collections that are done
}

// Build is what Go wrote into the binary.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
}

// built reads the binary's own record. It has no revision where the program was built without version control.
func built() Build {
	build := Build{Version: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build
	}
	if info.Main.Version != "" {
		build.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			build.Revision = setting.Value
		case "vcs.time":
			build.Time = setting.Value
		case "vcs.modified":
			build.Modified = setting.Value == "true"
		}
	}
	return build
}

func (c *Checker) report(ctx context.Context) (int, Report) {
	now := c.now()
	uptime := now.Sub(c.begun)
	report := Report{
		Timestamp:     now.UTC(),
		Version:       c.version,
		Revision:      built().Revision,
		Uptime:        uptime.Round(time.Millisecond).String(),
		UptimeSeconds: uptime.Seconds(),
		Checks:        map[string]Outcome{},
	}
	report.measure()
	var code int
	code, report.Status = c.status(ctx, report.Checks)
	return code, report
}

// status asks everything, fills checks, and returns the code and the word for it.
func (c *Checker) status(ctx context.Context, checks map[string]Outcome) (int, string) {
	lives := c.live.ask(ctx)
	readies := c.readiness.ask(ctx)
	status := "healthy"
	for _, group := range []map[string]Outcome{lives, readies} {
		for name, one := range group {
			checks[name] = one
			if one.Status != OK {
				status = "degraded"
			}
		}
	}
	if _, failed := worst(lives); failed {
		return http.StatusInternalServerError, "unhealthy"
	}
	code, failed := worst(readies)
	switch {
	case failed:
		return code, "unhealthy"
	case c.draining.Load():
		return http.StatusServiceUnavailable, "draining"
	case !c.started.Load():
		return http.StatusServiceUnavailable, "starting"
	}
	return http.StatusOK, status
}

// measure uses runtime/metrics, which unlike runtime.ReadMemStats does not stop the program.
func (r *Report) measure() {
	names := []string{
		"/memory/classes/heap/objects:bytes", "/gc/heap/allocs:bytes", "/memory/classes/total:bytes",
		"/gc/cycles/total:gc-cycles", "/sched/goroutines:goroutines", "/sched/gomaxprocs:threads", "/gc/gomemlimit:bytes",
	}
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	values := make([]uint64, len(names))
	for i, sample := range samples {
		if sample.Value.Kind() == metrics.KindUint64 {
			values[i] = sample.Value.Uint64()
		}
	}
	r.Memory = Memory{Alloc: values[0], TotalAlloc: values[1], Sys: values[2], NumGC: values[3]}
	r.Goroutines = values[4]
	limit := "off"
	if values[6] < math.MaxInt64 {
		limit = strconv.FormatUint(values[6], 10)
	}
	r.Environment = map[string]string{
		"GOOS":       runtime.GOOS,
		"GOARCH":     runtime.GOARCH,
		"GOVERSION":  runtime.Version(),
		"GOMAXPROCS": strconv.FormatUint(values[5], 10),
		"GOMEMLIMIT": limit,
	}
}
