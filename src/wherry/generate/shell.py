"""What shell commands of generated files say alike. Applications and texts in, POSIX shell out; touches nothing.

Values that are known only when a file is used (a version from a tag's name) stay in the shell's own variables and are never
pasted into code: whoever may push a tag may not choose commands.
"""

from __future__ import annotations

import posixpath
import shlex
from typing import Final

from wherry.errors import UsageError
from wherry.generate.names import Applications, from_home
from wherry.kit.text import dotted, numbers, one_line
from wherry.model.application import Application

REVISION: Final = "git rev-parse HEAD 2>/dev/null || echo unknown"
EPOCH: Final = "git log -1 --format=%ct 2>/dev/null || echo 0"
"""The commit's time: the same commit gives the same image."""
COMMITTED: Final = "git rev-parse --quiet --verify HEAD >/dev/null 2>&1"
"""Whether there is a commit: without one no version says what was pushed."""
UNCOMMITTED: Final = "no commit describes these files, so no version does: commit them first, or"
TAG: Final = "tr -c 'A-Za-z0-9_.-' '-'"
"""A version on standard input as the tag that wherry makes of it."""

GOFMT: Final = (
    'gofmt="$(go env GOROOT)/bin/gofmt"',
    r"""found="$(find . \( -name vendor -o -name testdata -o -name '.?*' -o -name '_*' \) -prune -o """
    + """-name '*.go' -exec "$gofmt" -l {} +)" """.rstrip(),
    r"""[ -z "$found" ] || { printf 'not as gofmt -w writes it:\n%s\n' "$found" >&2; exit 1; }""",
)
"""Fails with the names of files that are not formatted, by the gofmt of the Go that compiles. Folders that Go
overlooks, and those of others, are left out."""

UNCHECKED: Final = "printf '%s\\n' fmt.Fprint fmt.Fprintf fmt.Fprintln '(net/http.ResponseWriter).Write'"
"""Names for `errcheck -exclude`: a client that has gone cannot be told, and programs are full of these."""


def quoted(*words: str) -> str:
    """Words of a command."""
    return shlex.join(words)


def package(applications: Applications, application: Application) -> str:
    """The application's main for `wherry`, seen from the files' home: `./cmd/api`."""
    return dotted(from_home(applications, f"{application.sources.directory}/{application.programs[0].package}"))


def from_root(application: Application) -> str:
    """The same, seen from the repository's root."""
    return dotted(posixpath.normpath(f"{application.sources.directory}/{application.programs[0].package}"))


def tagged(package: str) -> str:
    """Prints wherry's word for the version of that package, as a tag: with a `-` for the `+` of `+dirty`, which no tag holds."""
    return f"wherry plan --only version {quoted(package)} | tr + -"


def packages(application: Application, seen_from: str = "") -> tuple[str, ...]:
    """All packages of the application's modules, as `go vet` is told where Go is started, or in the folder `seen_from`. A
    workspace's folder need not be a module, and then Go knows no `./...` there: from 1.25 on it has a word for all that the
    workspace has."""
    sources = application.sources
    if not sources.workspace:
        return ("./...",)
    if numbers(sources.go) >= (1, 25):
        return ("work",)
    folders = {posixpath.dirname(one) or "." for one in sources.module_files if posixpath.basename(one) == "go.mod"}
    mains = (posixpath.normpath(f"{sources.directory}/{one.package}") for one in application.programs)
    own = {max((one for one in folders if _holds(one, main)), key=len, default=".") for main in mains}
    return tuple(
        dotted(posixpath.join(posixpath.relpath(one, seen_from or sources.directory), "...")) for one in sorted(own)
    )


def checked(application: Application) -> str:
    """What commands of Go that look at sources are told: build tags, and all packages."""
    tags = (one for one in application.sources.flags if one.startswith("-tags="))
    return quoted(*tags, *packages(application))


def searched(application: Application) -> str:
    """The same for govulncheck, which starts only beside a go.mod: a workspace's folder need not have one."""
    sources = application.sources
    folder = beside_module(application)
    if folder == ".":
        return checked(application)
    tags = (one for one in sources.flags if one.startswith("-tags="))
    return quoted("-C", folder, *tags, *packages(application, sources.module_directory))


def beside_module(application: Application) -> str:
    """The folder of a go.mod, seen from where Go is started."""
    sources = application.sources
    return posixpath.relpath(sources.module_directory, sources.directory) if sources.workspace else "."


def _holds(folder: str, path: str) -> bool:
    return folder == "." or f"{path}/".startswith(f"{folder}/")


def described(application: Application) -> str:
    """Prints git's own word for a version, for machines without wherry: on a version tag the same as wherry's. A nested
    module's own tags go before the repository's."""
    folder = application.sources.module_directory
    usual = "git describe --tags --always --dirty=+dirty --exclude '*/*' 2>/dev/null"
    own = f"git describe --tags --dirty=+dirty --match {quoted(f'{folder}/v*')} 2>/dev/null || "
    return f"{{ {own if folder != '.' else ''}{usual} || echo 0.0.0; }} | sed 's|.*/||; s/^v//'"


def rfc3339(seconds: str) -> str:
    """Prints a time in UTC, of a word of the shell with seconds since 1970; GNU's and BusyBox's date, else BSD's."""
    form = "+%Y-%m-%dT%H:%M:%SZ"
    return f'date -u -d "@{seconds}" {form} 2>/dev/null || date -u -r "{seconds}" {form}'


def linked(flags: tuple[str, ...]) -> str:
    """The value of -ldflags (`cmd/internal/quoted`: blanks part words, quotes hold them together, nothing is escaped).
    UsageError [bad-text] for a word that Go has no way to quote."""
    return " ".join(map(_linked, flags))


def _linked(word: str) -> str:
    if word and word[0] not in "'\"" and not any(sign.isspace() for sign in word):
        return word
    quote = next((one for one in "'\"" if one not in word), "")
    if not quote:
        raise UsageError("bad-text", "a linker flag holds a blank and both quotes", where=one_line(word)[:60])
    return f"{quote}{word}{quote}"
