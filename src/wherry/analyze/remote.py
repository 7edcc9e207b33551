"""Packages named as `module/path/cmd/x@version`. Words in, a synthetic module out; starts `go`, writes into the scratch
folder only.

Why a synthetic module, and how it gives the very bytes of `go install`: docs/decisions/0002-modules-by-version.md.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path

import msgspec

from wherry.analyze.layout import read_gomod
from wherry.analyze.listing import Question, environment, list_error
from wherry.analyze.request import Request
from wherry.analyze.words import Remote
from wherry.errors import BuildError, CorruptError, UnavailableError, UsageError, WherryError
from wherry.formats.gomod import GoMod
from wherry.kit.files import atomic_write, private_directory
from wherry.kit.ports import Command, Run
from wherry.kit.value import Value, decodable
from wherry.model.finding import Finding
from wherry.model.toolchain import Toolchain

#: A name that nobody can own (RFC 6761).
MODULE = "wherry.invalid/remote"
#: What `go install` takes for a module without a go line (cmd/go defaultGODEBUG).
OLDEST = "1.20"
DEEPEST = 12


class _Answer(Value, frozen=True, kw_only=True, rename="pascal"):
    """One module of `go mod download -json`."""

    path: str = ""
    version: str = ""
    dir: str = ""
    error: str = ""


class Fetched(Value, frozen=True, kw_only=True):
    """A module in the cache, its go.mod, and the folder of the synthetic module that requires it."""

    path: str
    version: str
    folder: str
    gomod: GoMod
    workplace: str


class Fetcher(Value, frozen=True, kw_only=True):
    """With what modules are fetched."""

    request: Request
    toolchain: Toolchain


def fetch(words: tuple[Remote, ...], fetcher: Fetcher, run: Run) -> Fetched:
    """The module that provides all the packages. UsageError [no-such-version], [no-such-package]; BuildError
    [remote-replace]; UnavailableError [module-download].
    """
    if not fetcher.request.scratch:
        raise ValueError("module@version needs a scratch folder")
    answer = _providing(words[0], fetcher, run)
    gomod = (
        read_gomod(answer.dir, f"{answer.path}@{answer.version}/go.mod")
        if os.path.isfile(f"{answer.dir}/go.mod")
        else GoMod(module=answer.path)
    )
    if gomod.replaces or gomod.excludes:
        directive = "replace" if gomod.replaces else "exclude"
        raise BuildError(
            "remote-replace",
            f"{answer.path}@{answer.version} has {directive} lines, so it can only be built from its own repository",
            where=f"{answer.path}@{answer.version}/go.mod",
            why="such lines count in the main module only; go install refuses it too",
            next="clone the repository and run wherry build there",
        )
    stray = next((one for one in words if not _is_below(one.path, answer.path)), None)
    if stray is not None:
        raise UsageError(
            "mixed-packages",
            f"{stray.word} is not in module {answer.path}",
            where=stray.word,
            next=f"wherry build {shlex.quote(words[0].word)}",
        )
    workplace = _synthetic(answer, gomod, fetcher.request.scratch)
    return Fetched(path=answer.path, version=answer.version, folder=answer.dir, gomod=gomod, workplace=workplace)


def untidy(fetched: Fetched) -> tuple[Finding, ...]:
    """A warning when Go had to choose versions that the module's go.mod leaves open: they may be others tomorrow."""
    listed = {path for path, _ in read_gomod(fetched.workplace, "go.mod").requires}
    added = sorted(listed - {fetched.path} - {path for path, _ in fetched.gomod.requires})
    if not added:
        return ()
    message = (
        f"go.mod of {fetched.path} leaves out what it needs, so its newest version was taken: {', '.join(added[:3])}"
    )
    return (
        Finding(
            name="untidy-module",
            message=message,
            subject=f"{fetched.path}@{fetched.version}",
            next="ask its authors to run go mod tidy",
        ),
    )


def packages(words: tuple[Remote, ...]) -> tuple[str, ...]:
    """The words as `go list` in the synthetic module takes them."""
    return tuple(f"{one.path}/..." if one.recursive else one.path for one in words)


def _providing(word: Remote, fetcher: Fetcher, run: Run) -> _Answer:
    """The longest module path that is a prefix of the package and has the folder, as Go chooses."""
    prefixes = _prefixes(word.path)
    known = _cached(word, prefixes, fetcher.toolchain)
    answers = _download((known,) if known else prefixes, word.version, fetcher, run)
    good = [one for one in answers if one.dir and not one.error]
    for answer in sorted(good, key=lambda one: len(one.path), reverse=True):
        if os.path.isdir(os.path.join(answer.dir, "." + word.path[len(answer.path) :])):
            return answer
    if good:
        raise UsageError(
            "no-such-package",
            f"{good[0].path}@{good[0].version} has no folder {word.path[len(good[0].path) + 1 :]}",
            where=word.word,
            next=f"wherry build {shlex.quote(good[0].path)}/...@{shlex.quote(word.version)}",
        )
    raise _unknown(word, answers)


def _prefixes(path: str) -> tuple[str, ...]:
    """`a.b/c/d/e` → itself, `a.b/c/d`, `a.b/c`, `a.b`; a repository host asks for owner and name at least."""
    parts = path.split("/")
    least = 3 if parts[0] in ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org") else 1
    if len(parts) > DEEPEST:
        raise UsageError(
            "bad-package",
            f"{path[:60]!r}... has too many parts",
            where="command line",
            next="wherry build example.com/app@latest",
        )
    return tuple("/".join(parts[:length]) for length in range(len(parts), min(least, len(parts)) - 1, -1))


def _cached(word: Remote, prefixes: tuple[str, ...], toolchain: Toolchain) -> str:
    """A module in the cache that has the package: then no other need be asked for, because a zip leaves out the folders
    of other modules.
    """
    cache = dict(toolchain.environment).get("GOMODCACHE", "")
    for prefix in prefixes if cache and word.version.startswith("v") else ():
        escaped = "".join(
            f"!{character.lower()}" if character.isupper() else character for character in f"{prefix}@{word.version}"
        )
        if os.path.isdir(os.path.join(cache, escaped, "." + word.path[len(prefix) :])):
            return prefix
    return ""


def _download(prefixes: tuple[str, ...], version: str, fetcher: Fetcher, run: Run) -> tuple[_Answer, ...]:
    question = Question(directory=fetcher.request.scratch, packages=(), root="")
    ended = run(
        Command(
            argv=(fetcher.toolchain.go, "mod", "download", "-json", *(f"{prefix}@{version}" for prefix in prefixes)),
            environment=environment(question, fetcher.request, fetcher.toolchain),
            directory=fetcher.request.scratch,
        )
    )
    parts = ended.stdout.decode("utf-8", "replace").split("\n}\n")
    try:
        answers = tuple(msgspec.json.decode(f"{part}\n}}", type=decodable(_Answer)) for part in parts if part.strip())
    except msgspec.MsgspecError as error:
        raise CorruptError(
            "go-list-output", f"what `go mod download` printed could not be read: {error}", where="go mod download"
        ) from error
    if ended.code and not answers:
        raise list_error(ended.stderr.decode("utf-8", "replace"), question)
    return answers


def _unknown(word: Remote, answers: tuple[_Answer, ...]) -> WherryError:
    said = "\n".join(one.error for one in answers)
    if any(
        sign in said
        for sign in ("dial tcp", "no such host", "connection refused", "i/o timeout", "disabled by GOPROXY=off")
    ) and not any(sign in said for sign in ("404", "403", "unknown revision", "not found")):
        return UnavailableError(
            "module-download",
            f"{word.word} could not be fetched",
            where=word.word,
            next=(
                "check the network, HTTPS_PROXY and GOPROXY",
                "for a private module, set GOPRIVATE and your git credentials",
            ),
        ).with_output(said)
    return UsageError(
        "no-such-version",
        f"there is no module that has {word.path} at {word.version}",
        where=word.word,
        next=(
            f"wherry build {shlex.quote(word.path)}@latest" if word.version != "latest" else "check the path",
            "for a private module, set GOPRIVATE",
        ),
    ).with_output(said)


def _synthetic(answer: _Answer, gomod: GoMod, scratch: str) -> str:
    """Its folder. The go line is the module's, because that of the main module sets the defaults of the binary (GODEBUG);
    godebug lines are not taken over, as `go install` does not. The same module gives the same folder, so that two runs
    can share it: go.mod is written whole, go.sum by Go under its own lock.
    """
    lines = [f"module {MODULE}", "", f"go {gomod.go or OLDEST}", "", f"require {answer.path} {answer.version}"]
    text = "\n".join(lines) + "\n"
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = private_directory(Path(scratch, f"module-{name}"))
    if not (folder / "go.mod").is_file():
        atomic_write(folder / "go.mod", text.encode())
    return str(folder)


def _is_below(path: str, module: str) -> bool:
    return path == module or path.startswith(f"{module}/")
