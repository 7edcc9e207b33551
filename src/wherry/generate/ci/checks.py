"""What is run on the sources in CI, in the order in which it is quick to fail. A toolchain's version in, commands out; touches
nothing.
"""

from __future__ import annotations

from typing import Final

from wherry.generate.shell import GOFMT, checked, quoted, searched
from wherry.generate.tools import GOVULNCHECK, STATICCHECK, pinned
from wherry.kit.value import Value
from wherry.model.application import Application

MISTAKES: Final = "inherit,-S*,-ST*,-QF*,-U*,-SA1019"
"""Of staticcheck's checks those for what does not work. Unused, old and long code is left to `make lint`, and so is errcheck:
programs that are well kept are full of them (go-httpbin: 13 errors that nobody looks at, beside its tests; podinfo: dozens of
old names), and a gate that is red on its first day is taken away."""


class Check(Value, frozen=True, kw_only=True):
    """One step."""

    name: str
    command: str
    """POSIX shell, in the folder where Go is started; several lines end with a newline."""
    why: str = ""
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
        Check(
            name="Staticcheck",
            command=f"go run {pinned(STATICCHECK, go)} -checks {quoted(MISTAKES)} {told}",
            why="What does not work, not what is old, unused or could be shorter.",
        ),
        Check(name="Tests under the race detector", command=f"go test -race {told}", race=True),
        Check(name="Known vulnerabilities", command=f"go run {pinned(GOVULNCHECK, go)} {searched(application)}"),
    )
