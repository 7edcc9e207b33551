package health

import (
	"net"
	"net/http"
	"time"
)

func listen(server *http.Server) error { return server.ListenAndServe() }

func dial(address string, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	return dialer.Dial("tcp", address)
}
