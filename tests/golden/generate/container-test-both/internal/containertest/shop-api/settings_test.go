
//go:build container

package containertest

import "time"

// What is tested, and what it counts on.
const (
	// Name begins the names of images and containers of the tests.
	Name = "shop-api"
	// Root is the repository's root, seen from here.
	Root = "../../.."
	// Dockerfile is for docker and podman, seen from the root.
	Dockerfile = "shop-api.Dockerfile"
	// Home and Package are for wherry: where it is started, seen from the root, and what it builds.
	Home    = "."
	Package = "example.com/shop/cmd/api"

	// User is who the program runs as.
	User = "65532:65532"
	// Port is where it listens; 0: nowhere.
	Port = 8080
	// HTTPS says that it serves TLS itself.
	HTTPS = false
	// LivePath answers 200 when it is alive; empty: no such route is known.
	LivePath = "/healthz"
	// ReadyPath answers 200 when it wants requests; empty: no such route is known, or it asks servers that a test has not.
	ReadyPath = ""
	// Grace is for how long it may take to stop.
	Grace = 30 * time.Second
	// Memory is its limit in bytes, and Processes that of processes and threads; 0: none.
	Memory    = 268435456
	Processes = 256
	// MostBytes is the budget of the unpacked image; 0: none.
	MostBytes = 0
	// Patience is for how long it may take to be healthy.
	Patience = 35 * time.Second
)

var (
	// Environment has what the program needs to start, as NAME=VALUE.
	Environment = []string{}
	// Secrets are files in /run/secrets; each test gives them contents of its own.
	Secrets = []string{"database-password"}
	// Writable are folders that it writes to, beside /tmp.
	Writable = []string{"/home/nonroot"}
)
