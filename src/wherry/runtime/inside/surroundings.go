package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Surroundings are what Go's standard library finds in this root.
type Surroundings struct {
	Certificates int               `json:"certificates"` // authorities in the system's pool
	Authority    string            `json:"authority"`    // a well-known one whose chain was verified with it
	Distrust     string            `json:"distrust"`     // why none was
	Zones        map[string]string `json:"zones"`        // name, and why it could not be loaded
	Addresses    []string          `json:"addresses"`    // of localhost
	Lookup       string            `json:"lookup"`       // why it has none
	Files        map[string]string `json:"files"`        // what resolving reads, and why it could not be read
	User         string            `json:"user"`
	Home         string            `json:"home"`
	Nobody       string            `json:"nobody"` // why the user has no name
}

// authorities are some that sign most of what is on the web, and that no bundle leaves out.
var authorities = []string{"ISRG Root X1", "DigiCert Global Root G2", "Amazon Root CA 1", "GTS Root R1"}

// bundles are where crypto/x509 looks on Linux (root_linux.go).
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
	"/etc/ssl/certs/*", "/etc/pki/tls/certs/*",
}

func surroundings() *Surroundings {
	found := &Surroundings{Zones: map[string]string{}, Files: map[string]string{}}
	found.trust()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo"} {
		_, err := time.LoadLocation(zone)
		found.Zones[zone] = text(err)
	}
	limit, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(limit, "localhost")
	found.Addresses, found.Lookup = addresses, text(err)
	for _, path := range []string{"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"} {
		_, err := os.ReadFile(path)
		found.Files[path] = text(err)
	}
	current, err := user.Current()
	if found.Nobody = text(err); err == nil {
		found.User, found.Home = current.Username, current.HomeDir
	}
	return found
}

func (found *Surroundings) trust() {
	pool, err := x509.SystemCertPool()
	if err != nil {
		found.Distrust = err.Error()
		return
	}
	found.Certificates = len(pool.Subjects()) //nolint:staticcheck // on Linux the system's are among them
	found.Distrust = fmt.Sprintf("none of %s", strings.Join(authorities, ", "))
	for _, authority := range known() {
		_, err := authority.Verify(x509.VerifyOptions{
			Roots: pool, CurrentTime: authority.NotBefore.AddDate(1, 0, 0), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if found.Distrust = text(err); err == nil {
			found.Authority = authority.Subject.CommonName
			return
		}
	}
}

// known are the well-known authorities as certificates.
func known() []*x509.Certificate {
	var found []*x509.Certificate
	for _, pattern := range append([]string{os.Getenv("SSL_CERT_FILE"), os.Getenv("SSL_CERT_DIR") + "/*"}, bundles...) {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			rest, _ := os.ReadFile(path)
			for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
				one, err := x509.ParseCertificate(block.Bytes)
				for _, name := range authorities {
					if err == nil && one.Subject.CommonName == name {
						found = append(found, one)
					}
				}
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
