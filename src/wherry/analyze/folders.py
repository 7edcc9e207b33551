"""All folders of a project that hold Go. A root in, a Tree out; reads names only, follows no linked folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

from wherry.kit.value import Value

#: More entries than any repository of Go code needs; beyond it the walk ends, and says so.
MOST = 400_000
DEEPEST = 100
#: Folders that hold no source of this project.
SKIPPED = frozenset((".git", ".hg", ".svn", ".bzr", "node_modules"))
#: A folder with this file is an image layout, most often an output of wherry's own.
LAYOUT = "oci-layout"


class Folder(Value, frozen=True, kw_only=True):
    """A folder with Go files: `path` relative to the root, `files` without tests."""

    path: str
    files: tuple[str, ...]


class Tree(Value, frozen=True, kw_only=True):
    """What the walk found, sorted by path. `whole` is False when it was cut off."""

    folders: tuple[Folder, ...]
    modules: tuple[str, ...]
    """Folders with a go.mod."""
    whole: bool = True


def walk(root: str, *, below: str = ".") -> Tree:
    """The Go folders in `root`/`below`."""
    folders: list[Folder] = []
    modules: list[str] = []
    seen = 0
    for path, directories, files in _entries(root, below):
        seen += len(directories) + len(files)
        if seen > MOST:
            break
        go = tuple(sorted(name for name in files if name.endswith(".go") and not name.endswith("_test.go")))
        if go:
            folders.append(Folder(path=path, files=go))
        if "go.mod" in files:
            modules.append(path)
    return Tree(
        folders=tuple(sorted(folders, key=lambda one: one.path)), modules=tuple(sorted(modules)), whole=seen <= MOST
    )


def _entries(root: str, below: str) -> Iterator[tuple[str, list[str], list[str]]]:
    pending = [below]
    while pending:
        path = pending.pop()
        directories: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(os.path.join(root, path)) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    (directories if is_folder else files).append(entry.name)
        except OSError:
            continue
        if LAYOUT in files and path != below:
            continue
        yield path, directories, files
        vendored = "go.mod" in files and os.path.isfile(os.path.join(root, path, "vendor/modules.txt"))
        if path.count("/") < DEEPEST:
            inner = sorted((name for name in directories if _is_entered(name, vendored)), reverse=True)
            pending += [name if path == "." else f"{path}/{name}" for name in inner]


def _is_entered(name: str, vendored: bool) -> bool:
    return name not in SKIPPED and not name.startswith(".") and not (vendored and name == "vendor")
