package health

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// listen takes the certificate from server.TLSConfig.
func listen(server *http.Server) error { return server.ListenAndServeTLS("", "") }

// dial verifies no certificate: it belongs to a name, and the program asks itself, at an address.
func dial(address string, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} // #nosec G402
	return tls.DialWithDialer(&dialer, "tcp", address, config)
}
