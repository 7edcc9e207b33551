// Package service is the server that all applications here share. It does everything right; each application then does one
// thing wrong.
package service

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// stopping is set once the service has been asked to stop: it is not ready any more.
var stopping atomic.Bool

// asked hears of it when somebody asks the program to stop.
var asked = make(chan os.Signal, 1)

// Routes are handlers by their patterns.
type Routes map[string]http.HandlerFunc

// Handler answers /healthz, /readyz, /slow and /; where own has the same pattern, it answers instead.
func Handler(own Routes) http.Handler {
	good := http.NewServeMux()
	good.HandleFunc("GET /{$}", front)
	good.HandleFunc("GET /healthz", healthy)
	good.HandleFunc("GET /readyz", ready)
	good.HandleFunc("GET /slow", slow)
	mux := http.NewServeMux()
	mux.Handle("/", good)
	for pattern, handler := range own {
		mux.HandleFunc(pattern, handler)
	}
	return mux
}

// Run serves until it is asked to stop, then lets requests in flight finish.
func Run(handler http.Handler) {
	Heed()
	server := Start(handler)
	AwaitStop()
	Drain(server)
}

// Start serves on $PORT, or 8080, of all addresses, and returns.
func Start(handler http.Handler) *http.Server {
	return Serve(Listen(":"+Text("PORT", "8080")), handler)
}

// Listen opens an address and says so, or ends the program.
func Listen(address string) net.Listener {
	log.SetOutput(os.Stdout)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatalf("cannot listen: %v", err)
	}
	log.Printf("listening on %s", listener.Addr())
	return listener
}

// Serve answers what comes to listener, and returns.
func Serve(listener net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Fatalf("cannot serve: %v", err)
		}
	}()
	return server
}

// Heed has the program listen for who asks it to stop: before it serves, since from then on it may be asked.
func Heed() {
	signal.Notify(asked, syscall.SIGTERM, os.Interrupt)
}

// AwaitStop returns when somebody has asked the program to stop since Heed; from then on it is not ready.
func AwaitStop() {
	AwaitSignal()
	stopping.Store(true)
}

// AwaitSignal returns when somebody has asked the program to stop since Heed.
func AwaitSignal() {
	log.Printf("stopping: %v", <-asked)
}

// Drain lets others see for a moment that the service is not ready, then closes the port, and returns when every request has
// its answer.
func Drain(server *http.Server) {
	time.Sleep(Duration("NOT_READY", 200*time.Millisecond))
	deadline, cancel := context.WithTimeout(context.Background(), 9*time.Second)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		log.Fatalf("requests were cut off: %v", err)
	}
	log.Print("stopped")
}

// Text is the environment variable name, or fallback.
func Text(name, fallback string) string {
	if text := os.Getenv(name); text != "" {
		return text
	}
	return fallback
}

// Duration is the environment variable name, written like 1m30s, or fallback.
func Duration(name string, fallback time.Duration) time.Duration {
	duration, err := time.ParseDuration(Text(name, fallback.String()))
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return duration
}

// Refused logs that the machine refused something; with $REFUSED=exit it ends the program.
func Refused(err error) {
	log.Printf("refused: %v", err)
	if os.Getenv("REFUSED") == "exit" {
		os.Exit(1)
	}
}

// Before calls first before each request of any route.
func Before(first func(), handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first()
		handler.ServeHTTP(w, r)
	})
}

// Fail answers 500 with the reason, which it also logs.
func Fail(w http.ResponseWriter, err error) {
	log.Print(err)
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// Unavailable answers 503.
func Unavailable(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "unavailable", http.StatusServiceUnavailable)
}

func front(w http.ResponseWriter, r *http.Request) {
	log.Printf("%s %s", r.Method, r.URL.Path)
	fmt.Fprintln(w, "hello")
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "well")
}

func ready(w http.ResponseWriter, r *http.Request) {
	if stopping.Load() {
		Unavailable(w, r)
		return
	}
	fmt.Fprintln(w, "ready")
}

func slow(w http.ResponseWriter, r *http.Request) {
	Pause(r)
	fmt.Fprintln(w, "done")
}

// Pause takes as many milliseconds as the request's ms says, or 1500.
func Pause(r *http.Request) {
	milliseconds, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil {
		milliseconds = 1500
	}
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
}
