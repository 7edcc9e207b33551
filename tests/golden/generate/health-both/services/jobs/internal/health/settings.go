
package health

import "time"

// What the Dockerfile, the compose file and the manifests of this program count on.
const (
	// LivePath answers 200, or 500 when only a restart helps.
	LivePath = "/livez"
	// ReadyPath answers 200, 503 when this copy wants no requests now, or 500 when a check panicked.
	ReadyPath = "/readyz"
	// StartPath answers 503 until Started was called, then 200.
	StartPath = "/startupz"
	// VersionPath says what is running.
	VersionPath = "/version"

	// CommandTimeout is for how long Command waits.
	CommandTimeout = 2 * time.Second
	// DrainPause is for how long a program that was told to stop still takes requests: until everybody has seen that it is not
	// ready.
	DrainPause = 2 * time.Second
	// DrainLimit is for how long requests under way may take after that.
	DrainLimit = 10 * time.Second
)
