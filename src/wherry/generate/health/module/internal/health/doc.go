// Package health tells whoever runs this program how it is: alive or not, ready or not, started or not, and which version.
//
// It needs the standard library only. A main uses it like this (example_test.go is the same, compiled):
//
//	if len(os.Args) == 2 && os.Args[1] == "health" {
//		os.Exit(health.Command(address)) // for HEALTHCHECK: asks the running server, ends with 0 or 1
//	}
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//	defer stop()
//
//	checker := health.New(version)
//	checker.AddReadiness(health.Check{Name: "database", Test: db.PingContext})
//	server := &http.Server{Addr: address, Handler: checker.Handler(routes), ReadHeaderTimeout: 5 * time.Second}
//
//	checker.Started() // once caches are warm and migrations are done
//	if err := checker.Serve(ctx, server); err != nil {
//		log.Fatal(err)
//	}
//
// Liveness says whether a restart would help, so it asks nobody else: a database that is down must not restart every copy of
// this program. Readiness says whether this copy wants requests. Both are cheap to ask: checks run side by side, each at most
// once at a time, and what they said is good for as long as Fresh says.
package health
