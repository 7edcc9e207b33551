// Package containertest builds the image of this program, runs it, looks at it, stops it, and leaves nothing behind:
//
//	go test -tags container ./internal/containertest
//
// It uses what is there, first wherry, then docker, then podman; CONTAINER_TOOL=docker says which. CONTAINER_IMAGE names an
// image that is there already, so that a pipeline tests the one that it is going to publish. Without any tool the tests are
// skipped, and fail where CI=true.
//
// Every container has a name and a port of its own, so that runs side by side do not meet.
package containertest
