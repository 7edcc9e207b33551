"""Which packages of a main work only with cgo. A listing made without cgo in, CgoUse values out; reads Go files of
those packages.

Without cgo, Go leaves out files that import "C" or ask for the tag `cgo`. A package needs cgo for sure when
* nothing is left of it, or
* a name that only the left-out files declare is used by the files that are left, or by a package that imports it.
Otherwise it has a fallback without C, and is fine, but for the few in STUBS: their fallback compiles and fails when it
is used.
The standard library (net, os/user) always has a working fallback.
"""

from __future__ import annotations

import os
from collections import deque

from wherry.analyze.constraint import Tags, holds, name_holds
from wherry.analyze.header import START, read_header
from wherry.analyze.reading import read_regular, read_start, relative
from wherry.analyze.source import names
from wherry.formats.golisting import Package
from wherry.kit.value import Value
from wherry.model.place import Place
from wherry.model.project import CgoUse

#: Packages whose fallback is a stub, each read in its own source.
STUBS = {
    # static_mock.go, `//go:build !cgo`: Open gives "Binary was compiled with 'CGO_ENABLED=0', go-sqlite3 requires cgo
    # to work".
    "github.com/mattn/go-sqlite3": "without cgo it compiles, but every Open fails",
}
FILES = 64


class Listed(Value, frozen=True, kw_only=True):
    """The packages by import path, and the tags of a build with cgo."""

    packages: dict[str, Package]
    with_cgo: Tags
    root: str


def cgo_uses(main: str, listed: Listed, own: frozenset[str]) -> tuple[CgoUse, ...]:
    """The packages of `main` that work only with cgo, in import order. `own` are the import paths of the project's
    packages.
    """
    before = _spanning(main, listed.packages)
    found = []
    for path in before:
        why = _why(listed.packages[path], before, listed)
        if why:
            found.append(CgoUse(import_path=path, place=_place(path, before, listed, own), why=why))
    return tuple(found)


def _spanning(main: str, packages: dict[str, Package]) -> dict[str, str]:
    """Every package that `main` needs, with the one that imports it nearest to the main."""
    before = {main: ""}
    waiting = deque((main,))
    while waiting:
        path = waiting.popleft()
        for wanted in packages[path].imports if path in packages else ():
            if wanted in packages and wanted not in before and not packages[wanted].standard:
                before[wanted] = path
                waiting.append(wanted)
    return {path: importer for path, importer in before.items() if path in packages}


def _why(package: Package, before: dict[str, str], listed: Listed) -> str:
    if package.cgo_files:
        return "it has files that import C"
    files = left_out(package, listed.with_cgo)
    if not files:
        return ""
    if not package.go_files:
        return "all its files need cgo"
    if package.import_path in STUBS:
        return STUBS[package.import_path]
    missing = _declared(package.dir, files) - _declared(package.dir, package.go_files)
    if not missing:
        return ""
    inside = missing & _used(package.dir, package.go_files)
    if inside:
        return f"without cgo it does not compile: {min(inside)} is missing"
    outside = {name for name in missing if name[:1].isupper()}
    importers = (one for one in before if outside and package.import_path in listed.packages[one].imports)
    lacking = next(
        (name for one in importers for name in sorted(outside & _selected(listed.packages[one], package.import_path))),
        "",
    )
    return f"without cgo it has no {lacking}, which is used" if lacking else ""


def left_out(package: Package, with_cgo: Tags) -> tuple[str, ...]:
    """Files that only cgo brings in. One that its name and constraint let in, and that is not in, imports C."""
    found = []
    for name in package.ignored_go_files:
        if name.endswith("_test.go") or not name_holds(name, with_cgo):
            continue
        start = read_start(os.path.join(package.dir, name), START)
        header = read_header(start) if start else None
        if (
            header is not None
            and header.package
            and header.package != "documentation"
            and holds(header.constraint, with_cgo)
        ):
            found.append(name)
    return tuple(found)


def _declared(folder: str, files: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for data in _contents(folder, files) for name in names.declared(data))


def _used(folder: str, files: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for data in _contents(folder, files) for name in names.used(data))


def _selected(importer: Package, path: str) -> frozenset[str]:
    return frozenset(name for data in _contents(importer.dir, importer.go_files) for name in names.selected(data, path))


def _contents(folder: str, files: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(data for name in files[:FILES] if (data := read_regular(os.path.join(folder, name))) is not None)


def _place(path: str, before: dict[str, str], listed: Listed, own: frozenset[str]) -> Place | None:
    """Where the project imports what leads to `path`; for a package of its own, the line that imports C."""
    wanted, importer = path, before[path]
    while importer and importer not in own:
        wanted, importer = importer, before[importer]
    package = listed.packages.get(path if path in own else importer)
    if package is None:
        return None
    target = "C" if path in own else wanted
    for name in (*package.go_files, *package.cgo_files, *package.ignored_go_files):
        file = os.path.join(package.dir, name)
        data = read_regular(file)
        line = names.import_line(data, target) if data is not None else None
        if line is not None:
            return Place(file=relative(file, listed.root), line=line[0], column=line[1])
    return None
