"""Inputs as single paths. Inputs in, paths with the kind of proof each needs out; reads folders."""

from __future__ import annotations

import os
from collections.abc import Iterator

from wherry.cache.noop.inputs import Inputs, Tree
from wherry.cache.noop.state import GO_NAMES

MOST = 20_000
"""Beyond this many paths, looking at all of them takes longer than Go does."""
PRUNED = frozenset((".git", "__pycache__"))
Wanted = tuple[str, str]
"""A path, and the kind of its proof (`noop.state`); empty: the fullest for what is there."""


class TooManyError(Exception):
    """More than MOST paths."""


def collect(inputs: Inputs, skip: frozenset[str], path_variable: str) -> dict[str, str]:
    """Every path once, with the fullest proof that anybody wants of it. `skip`: folders written by the build itself."""
    found: dict[str, str] = {}
    for path, kind in _all(inputs, skip, path_variable):
        found[path] = _fuller(kind, found.get(path, kind))
        if len(found) > MOST:
            raise TooManyError
    return found


def _fuller(one: str, other: str) -> str:
    return max(one, other, key=("p", "g", "s", "").index)


def _all(inputs: Inputs, skip: frozenset[str], path_variable: str) -> Iterator[Wanted]:
    for path in inputs.paths:
        yield from _with_target(os.path.normpath(path))
    for path in inputs.places:
        yield os.path.normpath(path), "p"
    for path in inputs.stamps:
        yield os.path.normpath(path), "s"
    for name, found in inputs.programs:
        yield from _program(name, found, path_variable)
    for tree in inputs.trees:
        yield from _walk(tree, skip | frozenset(tree.skip))


def _with_target(path: str) -> Iterator[Wanted]:
    """The path, and where it leads if it is a link."""
    for _ in range(40):
        yield path, ""
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))


def _program(name: str, found: str, path_variable: str) -> Iterator[Wanted]:
    """The program's file, and every place before it on PATH, where another could appear."""
    for folder in path_variable.split(os.pathsep):
        if folder.startswith("/"):
            candidate = os.path.join(folder, name)
            yield from _with_target(candidate)
            if candidate == found:
                return
    if found:
        yield from _with_target(found)


def _walk(tree: Tree, skip: frozenset[str]) -> Iterator[Wanted]:
    folders = [tree.root]
    while folders:
        folder = folders.pop()
        with os.scandir(folder) as scanned:
            entries = list(scanned)
        yield folder, "g" if tree.kind == "go" else ""
        if tree.kind == "git" and folder != tree.root and any(entry.name == ".git" for entry in entries):
            yield f"{folder}/.git", "p"
            yield f"{folder}/.git/HEAD", ""
            continue
        for entry in entries:
            if entry.name in PRUNED or entry.path in skip:
                continue
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if _enters(tree, entry.name) else []
            elif tree.kind != "go" or entry.name in GO_NAMES or entry.name.endswith(".go"):
                yield entry.path, ""
                if entry.is_symlink():
                    yield from _with_target(entry.path)


def _enters(tree: Tree, name: str) -> bool:
    """For kind go: not the folders that `...` never matches (`go help packages`)."""
    return tree.kind != "flat" and (tree.kind != "go" or not (name.startswith((".", "_")) or name == "testdata"))
