package health

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// DefaultTimeout is that of a Check which names none.
	DefaultTimeout = time.Second
	// Fresh is for how long the outcome of a check is good: however many ask, a database is not asked more often.
	Fresh = time.Second
)

// Check is one thing that has to be well.
type Check struct {
	// Name is what answers call it.
	Name string
	// Test returns nil when all is well. It should give up when its context ends. One that does not has failed all the same, and
	// is not begun again before it has ended.
	Test func(context.Context) error
	// Timeout limits Test; 0 means DefaultTimeout.
	Timeout time.Duration
	// Optional makes a failure known without making the program unready.
	Optional bool
}

// What an Outcome says.
const (
	OK       = "ok"
	Failed   = "failed"
	TimedOut = "timeout"
	Panicked = "panic"
)

// Outcome is what came of a check.
type Outcome struct {
	Status   string `json:"status"`
	Optional bool   `json:"optional,omitempty"`
	// Error is there only with Checker.ShowErrors.
	Error string `json:"error,omitempty"`

	err error
}

// group is checks that are asked together.
type group struct {
	mu     sync.RWMutex
	probes []*probe
}

func (g *group) add(check Check, c *Checker) {
	if check.Name == "" || check.Test == nil {
		panic("health: a check needs a Name and a Test")
	}
	if check.Timeout <= 0 {
		check.Timeout = DefaultTimeout
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, other := range g.probes {
		if other.Name == check.Name {
			panic("health: two checks are called " + check.Name)
		}
	}
	g.probes = append(g.probes, &probe{Check: check, checker: c})
}

// ask returns the outcome of each check by its name. It takes no longer than the slowest Timeout, or until ctx ends.
func (g *group) ask(ctx context.Context) map[string]Outcome {
	g.mu.RLock()
	probes := g.probes[:len(g.probes):len(g.probes)]
	g.mu.RUnlock()
	ends := make([]<-chan struct{}, len(probes))
	for i, one := range probes {
		ends[i] = one.begin()
	}
	outcomes := make(map[string]Outcome, len(probes))
	for i, one := range probes {
		select {
		case <-ends[i]:
		case <-ctx.Done(): // who asked has gone
		}
		outcomes[one.Name] = one.known()
	}
	return outcomes
}

// probe runs one check, at most once at a time.
type probe struct {
	Check
	checker *Checker

	mu      sync.Mutex
	last    Outcome
	ended   time.Time       // when last became known; zero: never
	running chan struct{}   // closed when the run under way is over; nil: none is
	stuck   <-chan struct{} // is closed when a Test that overran its Timeout returns after all
}

// begin starts a run where one is due. It returns what is closed once an outcome is known that is fresh enough.
func (p *probe) begin() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		return p.running
	}
	fresh := !p.ended.IsZero() && p.checker.now().Sub(p.ended) < Fresh
	if fresh || p.isStuck() {
		return closed
	}
	p.running = make(chan struct{})
	go p.run(p.running)
	return p.running
}

// isStuck is called with p.mu held.
func (p *probe) isStuck() bool {
	if p.stuck == nil {
		return false
	}
	select {
	case <-p.stuck:
		p.stuck = nil
		return false
	default:
		return true
	}
}

var closed = func() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}()

// run is on its own: a prober that goes away must not end the check for all others.
func (p *probe) run(running chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), p.Timeout)
	defer cancel()
	var outcome Outcome
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		outcome = try(ctx, p.Test)
	}()
	select {
	case <-returned:
		p.end(running, outcome, nil)
	case <-ctx.Done():
		late := Outcome{Status: TimedOut, err: fmt.Errorf("no answer within %s", p.Timeout)}
		p.end(running, late, returned)
	}
}

// try returns what came of test, also when it panics or ends its goroutine.
func try(ctx context.Context, test func(context.Context) error) (outcome Outcome) {
	outcome = Outcome{Status: Failed, err: errors.New("it ended without an answer")}
	defer func() {
		if value := recover(); value != nil {
			outcome = Outcome{Status: Panicked, err: fmt.Errorf("panic: %v\n%s", value, debug.Stack())}
		}
	}()
	switch err := test(ctx); {
	case err == nil:
		return Outcome{Status: OK}
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return Outcome{Status: TimedOut, err: err}
	default:
		return Outcome{Status: Failed, err: err}
	}
}

// end keeps the outcome and lets go those who wait. Only a change is logged: probes come every few seconds.
func (p *probe) end(running chan struct{}, outcome Outcome, stuck <-chan struct{}) {
	defer close(running)
	outcome.Optional = p.Optional
	p.mu.Lock()
	before := p.last.Status
	p.last, p.ended, p.stuck, p.running = outcome, p.checker.now(), stuck, nil
	p.mu.Unlock()
	switch {
	case outcome.Status == before:
	case outcome.Status != OK:
		p.checker.log().Error("health check", "check", p.Name, "status", outcome.Status, "error", outcome.err)
	case before != "":
		p.checker.log().Info("health check", "check", p.Name, "status", OK)
	}
}

func (p *probe) known() Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	outcome := p.last
	if outcome.Status == "" { // the first run is under way
		outcome = Outcome{Status: Failed, Optional: p.Optional}
	}
	if p.checker.ShowErrors && outcome.err != nil {
		outcome.Error = outcome.err.Error()
	}
	return outcome
}
