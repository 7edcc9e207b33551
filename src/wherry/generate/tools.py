"""The checkers of Go code that generated files call, pinned. A tool and a version of Go in, `go run` words out. Touches nothing.

`go run PACKAGE@VERSION` leaves the module alone and is checked against Go's checksum database. Newest versions as of 2026-11-27.
"""

from __future__ import annotations

from typing import Final

from wherry.kit.text import numbers
from wherry.kit.value import Value


class Release(Value, frozen=True, kw_only=True):
    """A version of a tool, and the oldest Go that its own go.mod lets compile it: with GOTOOLCHAIN=local no other will be got."""

    version: str
    go: tuple[int, int] = (1, 0)


class Tool(Value, frozen=True, kw_only=True):
    """One program, newest release first; the last one is for all older versions of Go."""

    package: str
    releases: tuple[Release, ...]


GOVULNCHECK: Final = Tool(
    package="golang.org/x/vuln/cmd/govulncheck",
    releases=(
        Release(version="v1.9.0", go=(1, 26)),
        Release(version="v1.7.0", go=(1, 25)),
        Release(version="v1.1.4"),
    ),
)
STATICCHECK: Final = Tool(
    package="honnef.co/go/tools/cmd/staticcheck",
    releases=(
        Release(version="v0.8.2", go=(1, 26)),
        Release(version="v0.7.0", go=(1, 25)),
        Release(version="v0.6.1"),
    ),
)
ERRCHECK: Final = Tool(
    package="github.com/kisielk/errcheck",
    releases=(
        Release(version="v1.30.0", go=(1, 26)),
        Release(version="v1.20.0", go=(1, 25)),
        Release(version="v1.10.0"),
    ),
)

DELVE: Final = Tool(
    package="github.com/go-delve/delve/cmd/dlv",
    releases=(
        Release(version="v1.27.2", go=(1, 25)),
        Release(version="v1.26.0", go=(1, 24)),
        Release(version="v1.25.2"),
    ),
)


def pinned(tool: Tool, go: str) -> str:
    """What `go run` is told when the toolchain is `go` (1.26.8): the newest release that it can compile."""
    release = next((one for one in tool.releases if one.go <= numbers(go)), tool.releases[-1])
    return f"{tool.package}@{release.version}"
