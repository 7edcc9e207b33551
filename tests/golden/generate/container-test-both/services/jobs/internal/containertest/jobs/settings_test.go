
//go:build container

package containertest

import "time"

// What is tested, and what it counts on.
const (
	// Name begins the names of images and containers of the tests.
	Name = "jobs"
	// Root is the repository's root, seen from here.
	Root = "../../../../.."
	// Dockerfile is for docker and podman, seen from the root.
	Dockerfile = "jobs.Dockerfile"
	// Home and Package are for wherry: where it is started, seen from the root, and what it builds.
	Home    = "."
	Package = "example.com/jobs"

	// User is who the program runs as.
	User = "1001:0"
	// Port is where it listens; 0: nowhere.
	Port = 9099
	// HTTPS says that it serves TLS itself.
	HTTPS = false
	// LivePath answers 200 when it is alive; empty: no such route is known.
	LivePath = ""
	// ReadyPath answers 200 when it wants requests; empty: no such route is known, or it asks servers that a test has not.
	ReadyPath = ""
	// Grace is for how long it may take to stop.
	Grace = 60 * time.Second
	// Memory is its limit in bytes, and Processes that of processes and threads; 0: none.
	Memory    = 67108864
	Processes = 64
	// MostBytes is the budget of the unpacked image; 0: none.
	MostBytes = 50000000
	// Patience is for how long it may take to be healthy.
	Patience = 30 * time.Second
)

var (
	// Environment has what the program needs to start, as NAME=VALUE.
	Environment = []string{}
	// Secrets are files in /run/secrets; each test gives them contents of its own.
	Secrets = []string{}
	// Writable are folders that it writes to, beside /tmp.
	Writable = []string{"/var/cache/jobs"}
)
