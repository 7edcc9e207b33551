"""Packages without asking Go: for machines that have none. Folders in, packages out; reads headers and import lines.

Build tags are judged by `constraint`; dependencies outside of the project, embeds and cgo stay unknown.
"""

from __future__ import annotations

import os
from collections import deque

from wherry.analyze.constraint import Tags, holds, name_holds
from wherry.analyze.folders import Folder
from wherry.analyze.header import START, Header, read_header
from wherry.analyze.reading import read_regular, read_start
from wherry.analyze.source import scan
from wherry.formats.golisting import Module as ListedModule
from wherry.formats.golisting import Package
from wherry.model.project import Module


def headers_of(root: str, folder: Folder) -> tuple[tuple[str, Header], ...]:
    """Name and header of each Go file of a folder that has one."""
    found = []
    for name in folder.files:
        path = os.path.join(root, folder.path, name)
        start = read_start(path, START)
        header = read_header(start) if start is not None else Header()
        if not header.package and start is not None and len(start) == START:
            header = read_header(read_regular(path) or b"")
        if header.package:
            found.append((name, header))
    return tuple(found)


def read_packages(root: str, folders: tuple[str, ...], modules: tuple[Module, ...], tags: Tags) -> tuple[Package, ...]:
    """The packages in `folders` and those of the project that they import."""
    found: dict[str, Package] = {}
    waiting = deque(folders)
    seen = set(folders)
    while waiting:
        package = _package(root, waiting.popleft(), modules, tags)
        if package is None:
            continue
        found[package.import_path] = package
        for path in package.imports:
            folder = folder_of(path, modules)
            if folder and folder not in seen:
                seen.add(folder)
                waiting.append(folder)
    return tuple(found.values())


def import_path_of(folder: str, modules: tuple[Module, ...]) -> tuple[str, Module | None]:
    """The import path of a folder relative to the root, and its module: the one that is nearest above."""
    around = [one for one in modules if one.directory in (".", folder) or folder.startswith(f"{one.directory}/")]
    if not around:
        return "", None
    module = max(around, key=lambda one: 0 if one.directory == "." else len(one.directory))
    rest = folder if module.directory == "." else folder[len(module.directory) + 1 :]
    return (f"{module.path}/{rest}" if rest not in ("", ".") else module.path), module


def folder_of(path: str, modules: tuple[Module, ...]) -> str:
    """The folder of an import path in one of the modules; empty for others."""
    fitting = [one for one in modules if path == one.path or path.startswith(f"{one.path}/")]
    if not fitting:
        return ""
    module = max(fitting, key=lambda one: len(one.path))
    rest = path[len(module.path) + 1 :]
    return os.path.normpath(os.path.join(module.directory, rest))


def _package(root: str, folder: str, modules: tuple[Module, ...], tags: Tags) -> Package | None:
    path, module = import_path_of(folder, modules)
    try:
        names = sorted(entry.name for entry in os.scandir(os.path.join(root, folder)) if entry.is_file())
    except OSError:
        return None
    files = tuple(
        name
        for name in names
        if name.endswith(".go") and not name.endswith("_test.go") and not name.startswith(("_", "."))
    )
    headers = headers_of(root, Folder(path=folder, files=files))
    chosen = tuple(
        (name, header) for name, header in headers if name_holds(name, tags) and holds(header.constraint, tags)
    )
    if not chosen or module is None:
        return None
    imports = dict.fromkeys(
        line.path
        for name, _ in chosen
        for line in scan.scan(read_regular(os.path.join(root, folder, name)) or b"").imports
    )
    main = next((header.package for _, header in chosen if header.package == "main"), chosen[0][1].package)
    return Package(
        import_path=path,
        name=main,
        dir=os.path.normpath(os.path.join(root, folder)),
        module=ListedModule(path=module.path, main=True, dir=os.path.join(root, module.directory)),
        imports=tuple(imports),
        go_files=tuple(name for name, header in chosen if header.package == main),
        ignored_go_files=tuple(name for name, header in headers if (name, header) not in chosen),
    )
