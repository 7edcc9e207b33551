package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Serve serves until ctx ends, then stops as Shutdown does. nil means that every request got its answer.
func (c *Checker) Serve(ctx context.Context, server *http.Server) error {
	failed := make(chan error, 1)
	go func() { failed <- listen(server) }()
	select {
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve %s: %w", server.Addr, err)
	case <-ctx.Done():
		return c.Shutdown(server)
	}
}

// Shutdown says first that the program is not ready, takes requests for another DrainPause, because others go on sending them
// until they have noticed, then closes the port and gives requests under way DrainLimit to end.
func (c *Checker) Shutdown(server *http.Server) error {
	return stop(c, server, DrainPause, DrainLimit)
}

func stop(c *Checker, server *http.Server, pause, limit time.Duration) error {
	c.Drain()
	c.log().Info("draining", "pause", pause, "limit", limit)
	time.Sleep(pause)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close() // what is left has had its time
		return fmt.Errorf("requests were cut off after %s: %w", limit, err)
	}
	return nil
}
