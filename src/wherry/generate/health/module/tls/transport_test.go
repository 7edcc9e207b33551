package health

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

// withCertificate lends server the certificate of a test.
func withCertificate(t *testing.T, server *http.Server) {
	t.Helper()
	other := httptest.NewTLSServer(nil)
	t.Cleanup(other.Close)
	server.TLSConfig = &tls.Config{Certificates: other.TLS.Certificates, MinVersion: tls.VersionTLS12}
}
