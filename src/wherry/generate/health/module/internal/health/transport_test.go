package health

import (
	"net/http"
	"testing"
)

// withCertificate is for servers that speak TLS; this one does not.
func withCertificate(*testing.T, *http.Server) {}
