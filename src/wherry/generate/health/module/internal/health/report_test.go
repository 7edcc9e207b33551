package health

import (
	"context"
	"encoding/json"
	"math"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	checker, passing, _ := quiet("1.2.3")
	checker.Started()
	passing.pass(3*time.Second + 500*time.Millisecond)
	got := get(checker.StatusHandler(), "/")
	var fields map[string]any
	if err := json.Unmarshal(got.Body.Bytes(), &fields); err != nil || got.Code != 200 {
		t.Fatal(got.Code, err)
	}
	for key, value := range map[string]any{
		"status": "healthy", "version": "1.2.3", "uptime": "3.5s", "uptime_seconds": 3.5, "timestamp": "2023-11-14T22:13:23.5Z",
	} {
		if fields[key] != value {
			t.Errorf("%s is %v, want %v", key, fields[key], value)
		}
	}
	if count, _ := fields["goroutines"].(float64); count < 1 {
		t.Errorf("goroutines: %v", fields["goroutines"])
	}
	memory, _ := fields["memory"].(map[string]any)
	for _, key := range []string{"alloc", "total_alloc", "sys"} {
		if size, _ := memory[key].(float64); size < 1000 {
			t.Errorf("memory.%s: %v", key, memory[key])
		}
	}
	if _, there := memory["num_gc"].(float64); !there {
		t.Errorf("memory.num_gc: %v", memory["num_gc"])
	}
}

func TestMemoryIsThatOfTheProgram(t *testing.T) {
	var before, after Report
	before.measure()
	kept := make([]byte, 8<<20)
	runtime.GC()
	after.measure()
	if after.Memory.TotalAlloc < before.Memory.TotalAlloc+8<<20 || after.Memory.NumGC <= before.Memory.NumGC {
		t.Errorf("%+v, then %+v", before.Memory, after.Memory)
	}
	if after.Memory.Alloc < 8<<20 || after.Memory.Sys < after.Memory.Alloc {
		t.Errorf("%+v", after.Memory)
	}
	runtime.KeepAlive(kept)
}

func TestEnvironment(t *testing.T) {
	old := debug.SetMemoryLimit(123 << 20)
	defer debug.SetMemoryLimit(old)
	var report Report
	report.measure()
	for key, value := range map[string]string{
		"GOOS": runtime.GOOS, "GOARCH": runtime.GOARCH, "GOVERSION": runtime.Version(),
		"GOMAXPROCS": strconv.Itoa(runtime.GOMAXPROCS(0)), "GOMEMLIMIT": strconv.Itoa(123 << 20),
	} {
		if report.Environment[key] != value {
			t.Errorf("%s is %q, want %q", key, report.Environment[key], value)
		}
	}
	debug.SetMemoryLimit(math.MaxInt64)
	report.measure()
	if report.Environment["GOMEMLIMIT"] != "off" {
		t.Errorf("GOMEMLIMIT is %q", report.Environment["GOMEMLIMIT"])
	}
}

func TestStatus(t *testing.T) {
	for _, row := range []struct {
		status    string
		code      int
		begin     func(*Checker)
		ready     func(context.Context) error
		live      func(context.Context) error
		mayBeDown bool
	}{
		{status: "healthy", code: 200, ready: well, live: well},
		{status: "degraded", code: 200, ready: failing, live: well, mayBeDown: true},
		{status: "unhealthy", code: 503, ready: failing, live: well},
		{status: "unhealthy", code: 500, ready: panicking, live: well},
		{status: "unhealthy", code: 500, ready: well, live: failing},
		{status: "draining", code: 503, begin: (*Checker).Drain, ready: well, live: well},
	} {
		checker, _, _ := quiet("")
		checker.Started()
		checker.AddReadiness(Check{Name: "db", Test: row.ready, Optional: row.mayBeDown})
		checker.AddLiveness(Check{Name: "loop", Test: row.live})
		if row.begin != nil {
			row.begin(checker)
		}
		code, report := checker.report(context.Background())
		if code != row.code || report.Status != row.status || len(report.Checks) != 2 {
			t.Errorf("got %d %q with %d checks, want %d %q", code, report.Status, len(report.Checks), row.code, row.status)
		}
	}
	checker, _, _ := quiet("")
	if code, report := checker.report(context.Background()); code != 503 || report.Status != "starting" {
		t.Errorf("got %d %q", code, report.Status)
	}
}
