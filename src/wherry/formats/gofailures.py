"""Go's words when it fails in, a named error out; touches nothing.

Each row of KINDS is a way in which the go command fails, known by how a line begins once its place is taken off. Words about
modules count only when no package was compiled yet (`# import/path` heads the compilers' own words): source text that a
compiler quotes is never taken for a verdict of the go command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from wherry.errors import BuildError, UnavailableError, WherryError
from wherry.formats.goplaces import PLACE
from wherry.kit.value import Value

KILLED: Final = 137
_HEADER = re.compile(r"# (?!cd )(\S+)")


class Facts(Value, frozen=True, kw_only=True):
    """What is known when Go has failed."""

    packages: str
    """The mains asked for, for people."""
    match: str = ""
    """What of Go's words fitted the row, without its place."""
    where: tuple[str, ...]
    code: int = 1


class Kind(Value, frozen=True, kw_only=True):
    """One way to fail. `anywhere`: known also among the compilers' words."""

    pattern: str
    error: Callable[[Facts], WherryError]
    anywhere: bool = False


def failure(words: str, facts: Facts) -> WherryError | None:
    """The error that `words` tell of, without them; None when they fit no row."""
    kind, match = _kind(words)
    facts = msgspec.structs.replace(facts, match=match)
    if facts.code == KILLED and kind is None:
        return _killed(facts)
    return kind.error(facts) if kind else None


def failed_packages(words: str) -> tuple[str, ...]:
    """The packages that the compilers had something to say of."""
    return tuple(dict.fromkeys(match[1] for line in words.splitlines() if (match := _HEADER.match(line))))


def _kind(words: str) -> tuple[Kind | None, str]:
    lines = [(PLACE.sub("", line, count=1) if PLACE.match(line) else line).strip(": \t") for line in words.splitlines()]
    compiled = any(_HEADER.match(line) for line in lines)
    for kind in KINDS:
        pattern = re.compile(kind.pattern)
        match = next((found for line in lines if (found := pattern.match(line))), None)
        if match and (kind.anywhere or not compiled):
            return kind, match[0]
    return None, ""


def _killed(facts: Facts) -> UnavailableError:
    return UnavailableError(
        "go-killed",
        f"the compiler or linker was killed while building {facts.packages}",
        why="mostly the machine, or the container this runs in, is out of memory",
        next=("give it more memory", "build less at once: GOFLAGS=-p=1", "build for fewer platforms"),
    )


def _checksum(facts: Facts) -> BuildError:
    return BuildError(
        "go-sum-mismatch",
        "a module is not the one whose checksum is known",
        where=facts.where[:1],
        why="its published version was changed, or something changed the download",
        next=(
            "find out which of both before anything else",
            "go clean -modcache, if only this machine's copy is damaged",
        ),
    )


def _disk(facts: Facts) -> UnavailableError:
    return UnavailableError(
        "disk",
        f"Go could not write its files while building {facts.packages}",
        where=facts.match[-300:],
        next="free space (wherry cache prune, go clean -cache), or let GOCACHE and WHERRY_CACHE_DIR name other folders",
    )


def _too_old(facts: Facts) -> UnavailableError:
    wanted = re.search(r"(?:go >= |newer Go version go|toolchain go)([0-9][0-9a-z.]*)", facts.match)
    version = wanted[1] if wanted else ""
    return UnavailableError(
        "go-too-old",
        f"the sources need Go {version or 'of a newer version'}, and this machine's Go is older",
        where=next((name for name in ("go.work", "go.mod") if name in facts.match), facts.where[0]),
        why="wherry lets no repository choose a compiler to download",
        next=(f"install Go {version or 'of that version'} or newer", "let Go fetch it: wherry build --toolchain auto"),
    )


def _sum(facts: Facts) -> BuildError:
    return BuildError(
        "go-sum",
        "go.sum lacks a module that the build needs",
        where=facts.where[:1],
        next="go mod tidy, and commit go.sum",
    )


def _modules(facts: Facts) -> BuildError:
    return BuildError(
        "go-mod",
        "go.mod, go.work or vendor do not fit the sources",
        where=facts.where[:1],
        next="do what Go says above; often: go mod tidy",
    )


def _download(facts: Facts) -> UnavailableError:
    return UnavailableError(
        "module-download",
        "a module that the build needs could not be fetched",
        where=facts.where[:1],
        next=(
            "check the network, HTTPS_PROXY and GOPROXY",
            "for a private module, set GOPRIVATE and your git credentials",
        ),
    )


def _compiler(facts: Facts) -> UnavailableError:
    return UnavailableError(
        "cgo-compiler",
        f"{facts.packages} needs cgo, and its C compiler or pkg-config was not found",
        where=facts.where[:1],
        next=("install a C compiler for the target", "name one in CC", "use a package without C"),
    )


def _cgo_flags(facts: Facts) -> BuildError:
    return BuildError(
        "cgo-flags",
        "the sources ask for C compiler flags that Go does not allow",
        where=facts.match[-300:],
        why="such a flag can load a program while compiling",
        next="if you trust these sources, allow the flag with CGO_LDFLAGS_ALLOW or CGO_CFLAGS_ALLOW",
    )


def _no_files(facts: Facts) -> BuildError:
    return BuildError(
        "no-go-files",
        "a package has no Go file for this platform and these build tags",
        where=facts.where[:1],
        why="every file is excluded by its name, its //go:build line, or because it needs cgo",
        next=("build for another --platform", "set the tags it wants", "set cgo = true, if its files import C"),
    )


def _stamp(facts: Facts) -> BuildError:
    return BuildError(
        "vcs-stamp",
        "Go could not read the git state that it stamps into the binary",
        where=facts.where[:1],
        next="run git status there and mend what it says",
    )


def _flags(facts: Facts) -> BuildError:
    return BuildError(
        "go-flags",
        f"Go does not take these flags: {facts.match[-200:]}",
        where=facts.where[:1],
        next="wherry plan --why",
    )


def _embed(facts: Facts) -> BuildError:
    return BuildError(
        "embed",
        "a go:embed pattern matches no file",
        where=facts.where[:1],
        next="make those files first; a hook in wherry.toml can do it (wherry explain hook)",
    )


_NO_SPACE = (
    r".*(?:no space left on device|disk quota exceeded|read-only file system)$|failed to initialize build cache at "
)
_FETCH = (
    r"(?:\S+@v\S+: )?(?:Get |reading |unrecognized import path|module lookup disabled|invalid version: |unknown revision )"
    r"|.*(?:dial tcp|no such host|i/o timeout|TLS handshake timeout|could not read Username|terminal prompts disabled"
    r"|410 Gone|404 Not Found|Permission denied \(publickey|certificate signed by unknown)"
)
_REQUIRE = (
    r".*(?:no required module provides|updates to go\.mod needed|errors parsing go\.(?:mod|work)|inconsistent vendoring"
    r"|go\.mod file not found|listed in go\.work file|is not in std|cannot find main module|does not contain package"
    r"|import lookup disabled|is replaced but not required|cannot find module providing)"
)
KINDS: Final = (
    Kind(pattern=r"SECURITY ERROR|.*checksum mismatch$", error=_checksum),
    Kind(pattern=_NO_SPACE, error=_disk, anywhere=True),
    Kind(pattern=r".*(?:signal: killed|cannot allocate memory)$", error=_killed, anywhere=True),
    Kind(
        pattern=r".*(?:requires go >= \S+|requires newer Go version \S+|download go\S+|toolchain not available)",
        error=_too_old,
    ),
    Kind(pattern=r".*(?:missing go\.sum entry|updates to go\.sum needed)", error=_sum),
    Kind(pattern=r"error obtaining VCS status|.*missing Git command", error=_stamp),
    Kind(pattern=r".*invalid flag in (?:#cgo \w+|pkg-config): \S+", error=_cgo_flags, anywhere=True),
    Kind(pattern=r"cgo: C compiler|.*pkg-config\S*: executable file not found", error=_compiler, anywhere=True),
    Kind(
        pattern=r"flag provided but not defined: \S+|(?:go: )?(?:unsupported GOOS/GOARCH pair \S+|-\w+ requires cgo)",
        error=_flags,
        anywhere=True,
    ),
    Kind(pattern=r".*(?:build constraints exclude all Go files|no Go files in )", error=_no_files),
    Kind(pattern=_FETCH, error=_download),
    Kind(pattern=r"pattern .*: no matching files found", error=_embed),
    Kind(pattern=_REQUIRE, error=_modules),
)
