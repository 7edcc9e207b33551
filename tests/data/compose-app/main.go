// Command kept is a service with everything that a compose file looks after: data, a database, a cache, output, an end.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const file = "/data/kept"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	srv := &http.Server{Addr: ":8091", Handler: routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(deadline)
	}()
	slog.Info("listening")
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		os.Exit(1)
	}
}

func routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /answer", func(w http.ResponseWriter, r *http.Request) { say(w, "first", nil) })
	mux.HandleFunc("PUT /kept", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		say(w, "", os.WriteFile(file, text, 0o600))
	})
	mux.HandleFunc("GET /kept", func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(file)
		say(w, string(text), err)
	})
	mux.HandleFunc("GET /cache", func(w http.ResponseWriter, r *http.Request) {
		text, err := ping(os.Getenv("REDIS_ADDR"))
		say(w, text, err)
	})
	mux.HandleFunc("GET /database", func(w http.ResponseWriter, r *http.Request) {
		address, err := url.Parse(os.Getenv("DATABASE_URL"))
		if err == nil {
			_, err = net.DialTimeout("tcp", address.Host, 5*time.Second)
		}
		say(w, "reached", err)
	})
	mux.HandleFunc("GET /outside", func(w http.ResponseWriter, r *http.Request) {
		_, err := os.Create("/elsewhere")
		say(w, "written", err)
	})
	mux.HandleFunc("POST /flood", func(w http.ResponseWriter, r *http.Request) {
		line := strings.Repeat("x", 1023) + "\n"
		for range 35 << 10 {
			fmt.Print(line)
		}
		say(w, "said", nil)
	})
	mux.HandleFunc("POST /crash", func(w http.ResponseWriter, r *http.Request) { os.Exit(3) })
	return mux
}

func say(w http.ResponseWriter, text string, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, text)
}

func ping(address string) (string, error) {
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	fmt.Fprint(connection, "PING\r\n")
	answer := make([]byte, 7)
	_, err = io.ReadFull(connection, answer)
	return strings.TrimSpace(string(answer)), err
}
