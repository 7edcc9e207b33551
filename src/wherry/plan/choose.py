"""Which mains are built: the words of the command line, else `packages` of the settings, else the only one. Touches nothing."""

from __future__ import annotations

import posixpath
import shlex
from pathlib import Path

from wherry.errors import BuildError, UsageError
from wherry.kit.text import closest, dotted
from wherry.model.plan import Decision
from wherry.model.project import Main, Project
from wherry.model.settings import Settings
from wherry.plan.answer import Answer, where
from wherry.plan.inputs import PlanInputs
from wherry.plan.tiers import Tier, packages

SHOWN = 8


def decide(inputs: PlanInputs) -> Answer[tuple[Main, ...]]:
    """The chosen mains in the project's order. BuildError [no-main], UsageError [several-mains] or [no-such-main]."""
    project, request = inputs.project, inputs.request
    if not project.mains:
        raise _no_main(project, request.directory)
    if request.packages:
        return _named(project, request.packages, request.directory, "")
    words, source = packages(inputs.tiers)
    if words:
        answer = _named(project, words, source.directory, where(source, ("packages",)))
        value = ", ".join(main.name for main in answer.value)
        decision = Decision(
            name="packages", value=value, reason="as you set it", origin=source.origin, place=source.place
        )
        return Answer(value=answer.value, decisions=(decision,))
    candidates = _near(project, request.directory)
    if len(candidates) > 1:
        raise _several(candidates, request.directory)
    return Answer(value=candidates)


def to_look_at(named: tuple[str, ...], tiers: tuple[Tier, ...], root: str) -> tuple[str, ...]:
    """The packages that `named`, else the settings, ask for, and the binaries that travel with them; none means all.

    A folder in a file is seen from there, so it becomes absolute; one that is not there is left to `decide`, which knows
    the line."""
    set_here, source = packages(tiers)
    chosen = named or _seen_from(set_here, source.directory, root)
    if not chosen or any("@" in word for word in chosen):
        return chosen
    return (
        *chosen,
        *(word for tier in tiers for word in _seen_from(_binaries(tier.settings), tier.directory, root)),
    )


def _binaries(settings: Settings) -> tuple[str, ...]:
    images = (settings.image, *(main.image for main in (settings.main or {}).values()))
    return tuple(word for image in images if image for word in image.binaries or ())


def _seen_from(words: tuple[str, ...], directory: str, root: str) -> tuple[str, ...]:
    local = {word: posixpath.normpath(posixpath.join(root, directory, word)) for word in words if word.startswith(".")}
    return tuple(
        local.get(word, word) for word in words if word not in local or Path(local[word].removesuffix("/...")).is_dir()
    )


def find(project: Project, word: str, directory: str) -> tuple[Main, ...]:
    """The mains that `word` names: a folder or pattern as seen from `directory`, an import path or pattern, or a main's name."""
    path = word.partition("@")[0]
    if path == "." or path.startswith(("./", "../", "/")) or path == "..":
        return tuple(main for main in project.mains if _matches(main.directory, _from_root(project, path, directory)))
    exact = tuple(main for main in project.mains if _matches(main.import_path, path))
    return exact or tuple(main for main in project.mains if main.name == path)


def names_of(main: Main) -> tuple[str, ...]:
    """What settings may call a main: name, folder with or without `./`, import path."""
    return (main.name, main.directory, f"./{main.directory}", main.import_path)


def _named(project: Project, words: tuple[str, ...], directory: str, origin: str) -> Answer[tuple[Main, ...]]:
    chosen: set[str] = set()
    for word in words:
        found = find(project, word, directory)
        if not found:
            raise no_such_main(project, word, directory, origin)
        chosen |= {main.import_path for main in found}
    return Answer(value=tuple(main for main in project.mains if main.import_path in chosen))


def no_such_main(project: Project, word: str, directory: str, origin: str) -> UsageError:
    """The error for a word that names no main, with the nearest that does, as seen from `directory`: where the user stands, or
    with an `origin` the folder of the settings that say it."""
    seen = seen_from(word, directory).rstrip("/")
    left_out = next((one for one in project.left_out if seen == one.directory), None)
    folders = {main.import_path: folder(main, directory) for main in project.mains}
    near = closest(word, tuple(name for main in project.mains for name in (folders[main.import_path], *_names(main))))
    several = ", ".join([*sorted(folders.values())[:SHOWN], *(["..."] if len(folders) > SHOWN else [])])
    meant = f"did you mean {near}?" if origin else f"wherry build {shlex.quote(near)}"
    other = f"its programs are {several}" if origin else f"wherry plan {shlex.quote(_local('.', directory))}/..."
    return UsageError(
        "no-such-main",
        f"{word!r} names no program of this repository",
        where=origin or word,
        why=f"it was left out: {left_out.reason}" if left_out else "",
        next=meant if near else other,
    )


def _names(main: Main) -> tuple[str, ...]:
    return (main.name, main.import_path)


def _matches(path: str, pattern: str) -> bool:
    if pattern in ("...", path):
        return True
    stem = pattern.removesuffix("/...")
    return stem != pattern and (path == stem or path.startswith(f"{stem}/") or stem == ".")


def _from_root(project: Project, path: str, directory: str) -> str:
    return posixpath.relpath(path, project.root) if path.startswith("/") else seen_from(path, directory)


def seen_from(path: str, directory: str) -> str:
    """`path` as `directory` means it, from the root; both relative."""
    return posixpath.normpath(posixpath.join(directory, path))


def _near(project: Project, directory: str) -> tuple[Main, ...]:
    """The main of the folder one stands in, else those of the innermost module around it, else all."""
    here = posixpath.normpath(directory)
    exact = tuple(main for main in project.mains if main.directory == here)
    if exact and here != ".":
        return exact
    around = sorted(
        (one for one in project.modules if _matches(here, f"{one.directory}/...")), key=lambda one: len(one.directory)
    )
    own = tuple(
        main for main in project.mains if around and around[-1].directory != "." and main.module == around[-1].path
    )
    return own or project.mains


def _no_main(project: Project, here: str) -> BuildError:
    module, at, version = project.remote.partition("@")
    folders = tuple(
        f"{module}/{one.directory}@{version}" if at else _local(one.directory, here) for one in project.left_out
    )
    listed = zip(folders[:SHOWN], project.left_out, strict=False)
    return BuildError(
        "no-main",
        "there is no program to build here: no `package main` that is worth an image",
        where=tuple(f"{name}   {one.reason}" for name, one in listed) or project.root,
        next=f"wherry build {shlex.quote(folders[0])}"
        if folders
        else "write one: a folder with package main and func main()",
    )


def folder(main: Main, here: str) -> str:
    """How a person who stands in `here` (relative to the root) names a main on the command line."""
    return main.import_path if main.directory.startswith("/") else _local(main.directory, here)


def _local(path: str, here: str) -> str:
    """A folder of the project as it is written in `here`: `./cmd/api`, `..`, `.`."""
    return dotted(posixpath.relpath(path, here))


def _several(mains: tuple[Main, ...], here: str) -> UsageError:
    folders = tuple(folder(main, here) for main in mains)
    more = (f"and {len(folders) - SHOWN} more",) if len(folders) > SHOWN else ()
    top = "." if all(not name.startswith("..") for name in folders) else _local(".", here)
    return UsageError(
        "several-mains",
        f"there are {len(mains)} programs here; say which",
        where=(*folders[:SHOWN], *more),
        next=(f"wherry build {shlex.quote(folders[0])}", f"wherry build {shlex.quote(top)}/..."),
    )
