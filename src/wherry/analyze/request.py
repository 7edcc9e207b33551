"""What analysis is asked. Touches nothing."""

from __future__ import annotations

from wherry.kit.ports import Environment
from wherry.kit.value import Value
from wherry.model.toolchain import Toolchain
from wherry.oci.platform import Platform

Pairs = tuple[tuple[str, str], ...]


class Request(Value, frozen=True, kw_only=True):
    """One question: what is in this repository, or in that module?"""

    working_directory: str
    """Where the words of `packages` are read from; absolute."""
    packages: tuple[str, ...] = ()
    """Folders, patterns, import paths, names of mains, or `module/path[/cmd/x]@version`; empty: everything."""
    environment: Environment
    toolchain: Toolchain | None = None
    """None: read files only, with no `go` to ask. Build tags are then judged here, and dependencies stay unknown."""
    platform: Platform = Platform(architecture="amd64")
    """Files are chosen for it."""
    tags: tuple[str, ...] = ()
    """Build tags."""
    variables: Pairs = ()
    """Go's variables that choose code or its origin, over the defaults: GOEXPERIMENT, GOPRIVATE, GOTOOLCHAIN ..."""
    workspace: str = ""
    """As GOWORK: empty looks for go.work, `off`, or the path of one."""
    cgo: bool = False
    """CGO_ENABLED for choosing files. What needs cgo is found out in any case."""
    scratch: str = ""
    """An existing private folder for synthetic modules of `module@version`; the only one that analysis writes to. It
    must stay until the build has ended, and may be kept and shared.
    """
