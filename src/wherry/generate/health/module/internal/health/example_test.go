package health_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/module/internal/health"
)

const address = ":8080"

// The main of a server.
func Example() {
	if len(os.Args) == 2 && os.Args[1] == "health" {
		os.Exit(health.Command(address))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once

	routes := http.NewServeMux() // or any other router
	routes.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello\n")) })

	checker := health.New("1.2.3") // the variable that -X sets
	checker.AddReadiness(health.Check{
		Name:    "database",
		Test:    func(ctx context.Context) error { return ping(ctx) }, // or db.PingContext
		Timeout: time.Second,
	})
	server := &http.Server{Addr: address, Handler: checker.Handler(routes), ReadHeaderTimeout: 5 * time.Second}

	checker.Started() // once caches are warm and migrations are done
	if err := checker.Serve(ctx, server); err != nil {
		log.Fatal(err)
	}
}

// A worker has no routes of its own; it answers probes on a port that nobody else sees, so it may tell everything.
func Example_worker() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	checker := health.New("1.2.3")
	checker.ShowErrors = true
	beat := checker.Heartbeat("queue", time.Minute)
	go func() {
		for ctx.Err() == nil {
			beat()
			// take the next job
		}
	}()
	private := http.NewServeMux()
	private.Handle("/status", checker.StatusHandler())
	server := &http.Server{Addr: address, Handler: checker.Handler(private), ReadHeaderTimeout: 5 * time.Second}
	checker.Started()
	if err := checker.Serve(ctx, server); err != nil {
		log.Fatal(err)
	}
}

func ping(context.Context) error { return nil }
