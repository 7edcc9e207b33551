"""What is run on the sources in CI, in the order in which it is quick to fail. A toolchain's version in, commands out; touches
nothing.
"""

from __future__ import annotations

from wherry.generate.shell import GOFMT
from wherry.generate.tools import ERRCHECK, GOVULNCHECK, STATICCHECK, pinned
from wherry.kit.value import Value
from wherry.model.application import Application


class Check(Value, frozen=True, kw_only=True):
    """One step."""

    name: str
    command: str
    """POSIX shell, in the folder where Go is started; several lines end with a newline."""
    race: bool = False
    """The race detector needs cgo, whatever the image is built with."""


def checks(application: Application) -> tuple[Check, ...]:
    """Every one of them can fail the build."""
    go = application.sources.go
    modules = (
        () if application.sources.vendored else (Check(name="Modules are what go.sum says", command="go mod verify"),)
    )
    return (
        *modules,
        Check(name="Format", command="\n".join(GOFMT) + "\n"),
        Check(name="Vet", command="go vet ./..."),
        Check(name="Staticcheck", command=f"go run {pinned(STATICCHECK, go)} ./..."),
        Check(name="Errcheck", command=f"go run {pinned(ERRCHECK, go)} ./..."),
        Check(name="Tests under the race detector", command="go test -race ./...", race=True),
        Check(name="Known vulnerabilities", command=f"go run {pinned(GOVULNCHECK, go)} ./..."),
    )
