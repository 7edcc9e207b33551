"""What is run on the sources in CI, in the order in which it is quick to fail. A toolchain's version in, commands out; touches
nothing.
"""

from __future__ import annotations

from wherry.generate.shell import GOFMT, UNCHECKED, checked, searched
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
    go, told = application.sources.go, checked(application)
    verify = Check(name="Modules are what go.sum says", command="go mod verify")
    own = (
        application.sources.vendored or application.sources.workspace
    )  # Go would ask a proxy for the workspace's modules
    modules = () if own else (verify,)
    return (
        *modules,
        Check(name="Format", command="\n".join(GOFMT) + "\n"),
        Check(name="Vet", command=f"go vet {told}"),
        Check(name="Staticcheck", command=f"go run {pinned(STATICCHECK, go)} {told}"),
        Check(name="Errcheck", command=f"{UNCHECKED} |\n  go run {pinned(ERRCHECK, go)} -exclude /dev/stdin {told}\n"),
        Check(name="Tests under the race detector", command=f"go test -race {told}", race=True),
        Check(name="Known vulnerabilities", command=f"go run {pinned(GOVULNCHECK, go)} {searched(application)}"),
    )
