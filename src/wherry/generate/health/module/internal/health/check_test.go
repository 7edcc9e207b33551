package health

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var errDown = errors.New("dial tcp db.internal:5432: refused for user app")

// clock is a time that passes only when told.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_700_000_000, c.nanoseconds.Load()) }

func (c *clock) pass(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// quiet is a Checker that logs into what it returns, and the clock that it goes by.
func quiet(version string) (*Checker, *clock, *bytes.Buffer) {
	checker, passing, said := New(version), &clock{}, &bytes.Buffer{}
	checker.now, checker.begun = passing.now, passing.now()
	checker.Log = slog.New(slog.NewTextHandler(said, nil))
	return checker, passing, said
}

// status asks the readiness checks for one outcome.
func status(checker *Checker, name string) string {
	return checker.readiness.ask(context.Background())[name].Status
}

func TestOutcomes(t *testing.T) {
	for want, test := range map[string]func(context.Context) error{
		OK:       func(context.Context) error { return nil },
		Failed:   func(context.Context) error { return errDown },
		TimedOut: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		Panicked: func(context.Context) error { panic("no database") },
	} {
		checker, _, _ := quiet("")
		checker.AddReadiness(Check{Name: "it", Test: test, Timeout: 20 * time.Millisecond})
		if got := status(checker, "it"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestACheckThatEndsItsGoroutineHasFailed(t *testing.T) {
	checker, _, _ := quiet("")
	checker.AddReadiness(Check{Name: "it", Test: func(context.Context) error { runtime.Goexit(); return nil }})
	if got := status(checker, "it"); got != Failed {
		t.Errorf("got %q", got)
	}
}

func TestChecksRunSideBySide(t *testing.T) {
	checker, _, _ := quiet("")
	var all sync.WaitGroup
	all.Add(3)
	for _, name := range []string{"a", "b", "c"} {
		checker.AddReadiness(Check{Name: name, Timeout: 10 * time.Second, Test: func(context.Context) error {
			all.Done()
			all.Wait() // returns only when all three are running
			return nil
		}})
	}
	for name, outcome := range checker.readiness.ask(context.Background()) {
		if outcome.Status != OK {
			t.Errorf("%s: %+v", name, outcome)
		}
	}
}

func TestEachCheckHasItsOwnTimeout(t *testing.T) {
	checker, _, _ := quiet("")
	release := make(chan struct{})
	defer close(release)
	waits := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-release:
			return nil
		}
	}
	checker.AddReadiness(Check{Name: "short", Test: waits, Timeout: time.Millisecond})
	checker.AddReadiness(Check{Name: "long", Timeout: time.Minute, Test: func(ctx context.Context) error {
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) < 30*time.Second {
			return errors.New("too little time")
		}
		return nil
	}})
	outcomes := checker.readiness.ask(context.Background())
	if outcomes["short"].Status != TimedOut || outcomes["long"].Status != OK {
		t.Errorf("%+v", outcomes)
	}
}

func TestManyProbesAreOneRun(t *testing.T) {
	checker, passing, _ := quiet("")
	var runs atomic.Int32
	checker.AddReadiness(Check{Name: "db", Test: func(context.Context) error {
		runs.Add(1)
		time.Sleep(10 * time.Millisecond)
		return nil
	}})
	var all sync.WaitGroup
	for range [50]struct{}{} {
		all.Add(1)
		go func() {
			defer all.Done()
			if got := status(checker, "db"); got != OK {
				t.Errorf("got %q", got)
			}
		}()
	}
	all.Wait()
	passing.pass(Fresh - 1)
	status(checker, "db")
	if got := runs.Load(); got != 1 {
		t.Errorf("%d runs while the outcome was fresh", got)
	}
	passing.pass(1)
	status(checker, "db")
	if got := runs.Load(); got != 2 {
		t.Errorf("%d runs after that", got)
	}
}

func TestACheckThatHangsIsNotBegunTwice(t *testing.T) {
	checker, passing, _ := quiet("")
	var runs atomic.Int32
	release := make(chan struct{})
	checker.AddReadiness(Check{Name: "db", Timeout: time.Millisecond, Test: func(context.Context) error {
		runs.Add(1)
		<-release // whatever its context says
		return nil
	}})
	for range [3]struct{}{} {
		if got := status(checker, "db"); got != TimedOut {
			t.Fatalf("got %q", got)
		}
		passing.pass(2 * Fresh)
	}
	if got := runs.Load(); got != 1 {
		t.Fatalf("%d runs at once", got)
	}
	close(release)
	for end := time.Now().Add(10 * time.Second); status(checker, "db") != OK; passing.pass(Fresh) {
		if time.Now().After(end) {
			t.Fatal("it is not asked again after it has ended")
		}
	}
}

func TestAProberThatGoesAwayEndsNothing(t *testing.T) {
	checker, _, _ := quiet("")
	begun, release := make(chan struct{}), make(chan struct{})
	checker.AddReadiness(Check{Name: "db", Timeout: time.Minute, Test: func(ctx context.Context) error {
		close(begun)
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	gone, leave := context.WithCancel(context.Background())
	go func() { <-begun; leave() }()
	if got := checker.readiness.ask(gone)["db"].Status; got != Failed {
		t.Errorf("nothing is known yet, and it says %q", got)
	}
	close(release)
	if got := status(checker, "db"); got != OK {
		t.Errorf("the next one gets %q", got)
	}
}

func TestChangesAreLoggedOnce(t *testing.T) {
	checker, passing, said := quiet("")
	var err error
	checker.AddReadiness(Check{Name: "db", Test: func(context.Context) error { return err }})
	for _, err = range []error{nil, errDown, errDown, nil, nil} {
		status(checker, "db")
		passing.pass(Fresh)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], errDown.Error()) || !strings.Contains(lines[1], "status=ok") {
		t.Errorf("%q", lines)
	}
}

func TestAPanicIsLoggedWithItsStack(t *testing.T) {
	checker, _, said := quiet("")
	checker.AddReadiness(Check{Name: "db", Test: func(context.Context) error { panic("no database") }})
	status(checker, "db")
	if !strings.Contains(said.String(), "no database") || !strings.Contains(said.String(), "check_test.go") {
		t.Error(said.String())
	}
}

func TestErrorsAreShownOnlyWhenAskedFor(t *testing.T) {
	for _, show := range []bool{false, true} {
		checker, _, _ := quiet("")
		checker.ShowErrors = show
		checker.AddReadiness(Check{Name: "db", Test: func(context.Context) error { return errDown }})
		want := ""
		if show {
			want = errDown.Error()
		}
		if got := checker.readiness.ask(context.Background())["db"].Error; got != want {
			t.Errorf("ShowErrors %t: %q", show, got)
		}
	}
}

func TestChecksThatCannotBe(t *testing.T) {
	fine := func(context.Context) error { return nil }
	for name, check := range map[string]Check{
		"no name": {Test: fine}, "no test": {Name: "a"}, "a name that is taken": {Name: "taken", Test: fine},
	} {
		t.Run(name, func(t *testing.T) {
			checker, _, _ := quiet("")
			checker.AddReadiness(Check{Name: "taken", Test: fine})
			defer func() {
				if recover() == nil {
					t.Error("it is taken")
				}
			}()
			checker.AddReadiness(check)
		})
	}
}

func TestHeartbeat(t *testing.T) {
	checker, passing, _ := quiet("")
	beat := checker.Heartbeat("loop", 5*time.Second)
	for _, step := range []struct {
		pass time.Duration
		beat bool
		want string
	}{
		{0, false, OK}, {5 * time.Second, false, OK}, {2 * time.Second, false, Failed}, {2 * time.Second, true, OK},
	} {
		passing.pass(step.pass)
		if step.beat {
			beat()
		}
		if got := checker.live.ask(context.Background())["loop"].Status; got != step.want {
			t.Errorf("%+v: %q", step, got)
		}
	}
}
