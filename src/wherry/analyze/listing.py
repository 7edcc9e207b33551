"""What Go itself says of packages. Folders or import paths in, packages out; starts `go list`, at most once a module or
workspace.

Never with VCS stamping: that would start git in the repository, with the repository's settings (A01). In a fixed
environment (A07), with the toolchain that is here (A06).
"""

from __future__ import annotations

import re

from wherry.analyze.request import Pairs, Request
from wherry.errors import BuildError, WherryError
from wherry.formats import golisting
from wherry.formats.gofailures import Facts, failure
from wherry.formats.golisting import FIELDS, Package
from wherry.formats.goplaces import places
from wherry.kit.goenv import go_environment, merged
from wherry.kit.ports import Command, Run
from wherry.kit.value import Value
from wherry.model.toolchain import Toolchain

#: 250 MB of JSON are more than any build list gives; measured: caddy 0.9 MB.
LIMIT = 256 << 20
#: It may have to download every module first; it may also wait for a pipe that a library calls x.go.
TIMEOUT = 1200.0
#: How a line of Go's begins when go.mod or go.work is what it cannot use.
MODULE_WORDS = (
    "errors parsing",
    "parsing ",
    "go.mod:",
    "go.work:",
    "conflicting replacements",
    "updates to go.",
    "inconsistent vendoring",
)
_IN_MODULE_FILE = re.compile(r"go\.(?:mod|work):")


class Question(Value, frozen=True, kw_only=True):
    """One `go list`: from where, for what, in which workspace (`off` or a path)."""

    directory: str
    packages: tuple[str, ...]
    workspace: str = "off"
    root: str
    flags: tuple[str, ...] = ()


def list_packages(question: Question, request: Request, toolchain: Toolchain, run: Run) -> tuple[Package, ...]:
    """The packages and all they depend on, dependencies first. Problems of single packages are in `Package.error`.

    Raises what `formats.gofailures` knows, or BuildError [go-mod] or [go-list], when Go cannot list at all.
    """
    tags = ",".join(dict.fromkeys((*inherited(toolchain, "tags"), *request.tags)))
    mode = inherited(toolchain, "mod")
    ended = run(
        Command(
            argv=(
                *(toolchain.go, "list", "-e", "-deps", "-buildvcs=false", f"-json={','.join(FIELDS)}"),
                *((f"-tags={tags}",) if tags else ()),
                *((f"-mod={mode[-1]}",) if mode and not question.flags else ()),
                *(*question.flags, "--", *question.packages),
            ),
            environment=environment(question, request, toolchain),
            directory=question.directory,
            timeout=TIMEOUT,
            limit=LIMIT,
        )
    )
    if ended.code:
        raise list_error(ended.stderr.decode("utf-8", "replace"), question)
    return golisting.parse(ended.stdout)


def environment(question: Question, request: Request, toolchain: Toolchain) -> Pairs:
    """All variables of a go child that analysis starts."""
    chosen = (
        ("GOOS", request.platform.os),
        ("GOARCH", request.platform.architecture),
        ("CGO_ENABLED", "1" if request.cgo else "0"),
        ("GOWORK", question.workspace),
        ("PWD", question.directory),
    )
    return merged(
        go_environment(request.environment, toolchain.environment, root=question.root), chosen, request.variables
    )


def inherited(toolchain: Toolchain, flag: str) -> tuple[str, ...]:
    """What the user's own GOFLAGS say for `flag`: they choose files, so analysis has to know them."""
    words = dict(toolchain.environment).get("GOFLAGS", "").split()
    values = [word.lstrip("-").partition("=")[2] for word in words if word.lstrip("-").startswith(f"{flag}=")]
    return tuple(part for value in values for part in value.split(",") if part)


def list_error(said: str, question: Question) -> WherryError:
    """Go's refusal to list as an error that carries its words."""
    words = "\n".join(
        line.removeprefix("go: ") for line in said.splitlines() if not line.startswith("go: downloading ")
    )
    facts = Facts(packages=", ".join(question.packages[:2]), where=places(words)[:1] or (question.directory,))
    known = failure(words, facts)
    if known is None and any(
        line.startswith(MODULE_WORDS) or _IN_MODULE_FILE.search(line) for line in words.splitlines()
    ):
        known = BuildError(
            "go-mod", "go.mod or go.work cannot be used", where=facts.where, next="do what Go says above"
        )
    if known is None:
        known = BuildError("go-list", "Go could not list the packages", where=facts.where, next="do what Go says above")
    return known.with_output(said)
