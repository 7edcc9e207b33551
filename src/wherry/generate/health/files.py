"""The Go package `health` for the user's module. Applications in, its files out; reads the sources in `module/`.

These are Go files that Go formats, vets and tests where they lie. Only constants and one import are another application's.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

from wherry.errors import UsageError
from wherry.formats.gotext import assigned, duration, quoted
from wherry.generate import shell
from wherry.generate.names import Applications, from_home
from wherry.generate.use import Here, Use, within
from wherry.kit.text import numbers, one_line
from wherry.model.application import Application
from wherry.model.file import Choice, File

MODULE: Final = Path(__file__).parent / "module"
FOLDER: Final = "internal/health"
LEAST: Final = (1, 21)
"""The `go` line from which all that is used is there: log/slog, context.AfterFunc (go1.21 notes)."""
PORT: Final = 8080
"""What the example proposes to a program that listens nowhere yet."""
PAUSE: Final = 2.0
"""Seconds: a balancer that asks every second has noticed."""
DRAIN: Final = 10.0
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+", re.ASCII)
_IMPORT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+/-]*", re.ASCII)

EXAMPLE: Final = '"example.com/module/internal/health"'
"""The package's import path in `module/`."""


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """One package for each module. UsageError [health-go], [health-path], [health-differs], [bad-text]."""
    modules: dict[str, list[Application]] = {}
    for application in applications:
        modules.setdefault(application.sources.module_directory, []).append(application)
    return tuple(
        file
        for folder, programs in modules.items()
        for file in _package(_model(tuple(programs)), from_home(applications, folder))
    )


def uses(applications: Applications, _: Choice, here: Here) -> tuple[Use, ...]:
    """What says how a main calls it."""
    folder = here(applications[0].sources.module_directory)
    return (Use(command=f"go doc {within(folder)}./{FOLDER}  # how a main calls it"),)


def _model(programs: tuple[Application, ...]) -> Application:
    """Whose routes and times the package has: what listens nowhere serves none of it, and agrees with all. UsageError
    [health-differs]."""
    asked = tuple(one for one in programs if one.port) or programs
    for other in asked[1:]:
        _agree(asked[0], other)
    return asked[0]


def _package(application: Application, folder: str) -> tuple[File, ...]:
    _new_enough(application)
    paths = {path.name: path for path in (MODULE / FOLDER).glob("*.go")}
    if application.runs.tls:
        paths |= {path.name: path for path in (MODULE / "tls").glob("*.go")}
    return tuple(
        # The empty line keeps the line that wherry puts above from being the package's documentation.
        File(
            path=posixpath.normpath(posixpath.join(folder, FOLDER, name)),
            text="\n" + _filled(name, paths[name].read_text(encoding="utf-8"), application),
            comment="//",
        )
        for name in sorted(paths)
    )


def _filled(name: str, text: str, application: Application) -> str:
    """With the application's own constants and import."""
    if name == "settings.go":
        for constant, value in _constants(application).items():
            text = assigned(text, constant, value)
    if name == "example_test.go":
        text = assigned(text, "const address", quoted(f":{application.port or PORT}"))
        text = text.replace(EXAMPLE, quoted(_import(application)))
    return text


def _constants(application: Application) -> dict[str, str]:
    """Go's constants by their names."""
    runs = application.runs
    live = _path(runs.liveness) or "/livez"
    ready = _path(runs.readiness)
    paths = {
        "LivePath": live,
        "ReadyPath": ready if ready and ready != live else "/readyz",
        "StartPath": "/startupz",
        "VersionPath": "/version",
    }
    for name, path in paths.items():
        if list(paths.values()).count(path) > 1:
            raise _bad_path(path, f"the package answers another question there ({name})")
    drain = runs.drain or DRAIN
    times = {
        "CommandTimeout": max(1.0, (runs.health.timeout if runs.health else 3.0) - 1),
        "DrainPause": max(0.0, min(PAUSE, runs.grace - drain - 1)),
        "DrainLimit": drain,
    }
    return {name: quoted(path) for name, path in paths.items()} | {name: duration(one) for name, one in times.items()}


def _path(path: str) -> str:
    """The same, or empty for the front page, which is the application's own."""
    if path in ("", "/"):
        return ""
    if not _PATH.fullmatch(path):
        raise _bad_path(path, "the package answers plain paths: letters, digits and . _ ~ - between slashes")
    return path


def _bad_path(path: str, why: str) -> UsageError:
    return UsageError(
        "health-path",
        f"the health package cannot answer {one_line(path)[:60]}",
        where="image.health.path, generate.readiness or the sources",
        why=why,
        next='image.health.path = "/livez" and generate.readiness = "/readyz"',
    )


def _agree(first: Application, other: Application) -> None:
    """UsageError [health-differs] when two programs of one module, which share the package, would need two."""
    ours, theirs = _constants(first), _constants(other)
    name = next((name for name in ours if ours[name] != theirs[name]), "")
    if name:
        raise UsageError(
            "health-differs",
            f"{one_line(first.name)[:40]} and {one_line(other.name)[:40]} share one health package,"
            f" and {name} would be {ours[name]} or {theirs[name]}",
            where=first.sources.module or first.sources.module_directory,
            next=(
                f"wherry generate health {shell.quoted(shell.package((first,), first))}",
                "the same image.health.path, generate.readiness, generate.drain and run.grace for both",
            ),
        )


def _import(application: Application) -> str:
    path = f"{application.sources.module}/{FOLDER}"
    if not _IMPORT.fullmatch(path):
        raise UsageError(
            "bad-text",
            "the module's path cannot be imported",
            where=f"go.mod   module {one_line(application.sources.module)[:60]}",
            next="name it like example.com/shop",
        )
    return path


def _new_enough(application: Application) -> None:
    """UsageError [health-go]."""
    line = application.sources.go_line
    if "." in line and numbers(line) >= LEAST:
        return
    least = ".".join(map(str, LEAST))
    raise UsageError(
        "health-go",
        f"the health package needs Go {least}, and go.mod says {f'go {one_line(line)[:20]}' if line else 'none'}",
        where=posixpath.normpath(posixpath.join(application.sources.module_directory, "go.mod")),
        why="it uses log/slog and context.AfterFunc",
        next=f"go mod edit -go={least}.0",
    )
