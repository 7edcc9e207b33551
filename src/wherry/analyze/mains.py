"""What is known of each main. A listing in, Main and LeftOut values out; reads the project's own sources."""

from __future__ import annotations

import os
import re
import shlex
from typing import Final

import msgspec

from wherry.analyze import cgo, leftout
from wherry.analyze.constraint import Tags
from wherry.analyze.own import Sources, reachable
from wherry.analyze.reading import relative
from wherry.errors import BuildError, UsageError
from wherry.formats.golisting import Package
from wherry.kit.value import Value
from wherry.model.project import LeftOut, Main, Module

EXCLUDED = "build constraints exclude all Go files"
NOT_FOUND = (
    "is not in std",
    "no required module provides",
    "cannot find module providing",
    "cannot find package",
    "does not contain package",
)

_SPECIAL: Final = re.compile(r"[*?\[\\]")
"""Signs that mean more than themselves to Go's path.Match."""


class Listing(Value, frozen=True, kw_only=True):
    """What Go said, and what it was asked about."""

    root: str
    packages: tuple[Package, ...]
    modules: tuple[Module, ...]
    named: frozenset[str] = frozenset()
    """Folders that the user named; a main there is never left out."""
    with_cgo: Tags
    remote: str = ""
    """Path of the module that was asked for by version."""
    version: str = ""
    """Its version."""

    @property
    def all_of(self) -> str:
        """How to build every program of the module that was asked for by version; empty for a project."""
        return f"wherry build {shlex.quote(self.remote)}/...@{shlex.quote(self.version)}" if self.remote else ""

    def is_own(self, package: Package) -> bool:
        """Part of the project, not of its dependencies."""
        return package.module is not None and (package.module.path == self.remote if self.remote else package.is_local)


def describe(
    folders: tuple[str, ...], foreign: tuple[str, ...], listing: Listing, sources: Sources
) -> tuple[tuple[Main, ...], tuple[LeftOut, ...]]:
    """The mains in `folders`, those named by import path, and of a remote pattern all; sorted by folder."""
    packages = {one.import_path: one for one in listing.packages}
    by_folder = {one.dir: one for one in listing.packages if one.dir and not one.standard}
    mains: list[Main] = []
    left_out: list[LeftOut] = []
    for path in folders:
        package = by_folder.get(os.path.normpath(os.path.join(listing.root, path)))
        reason = _not_a_main(package, listing)
        if not reason and package is not None:
            mains.append(_main(package, packages, listing, sources))
        elif path in listing.named:
            raise BuildError("go-list", f"Go cannot list ./{path}", where=path, why=reason, next="mend what Go says")
        else:
            left_out.append(LeftOut(directory=path, reason=reason))
    mains += [_main(_foreign(path, packages, listing), packages, listing, sources) for path in foreign]
    if listing.remote and not foreign:
        for package in listing.packages:
            if package.dep_only or _not_a_main(package, listing):
                continue
            reason = leftout.by_path(relative(package.dir, listing.root))
            if reason:
                left_out.append(LeftOut(directory=relative(package.dir, listing.root), reason=reason))
            else:
                mains.append(_main(package, packages, listing, sources))
    return tuple(sorted(mains, key=lambda one: (one.directory, one.import_path))), tuple(left_out)


def name_of(import_path: str) -> str:
    """What `go build` calls the binary: the last element, or the one before a major version (cmd/go DefaultExecName)."""
    parts = import_path.split("/")
    last = parts[-1]
    is_version = len(last) > 1 and last[0] == "v" and last[1:].isdecimal() and last[1] != "0" and last != "v1"
    return parts[-2] if is_version and len(parts) > 1 else last


def _not_a_main(package: Package | None, listing: Listing) -> str:
    """Why this is no main that can be built; empty when it is one."""
    if package is None:
        return "Go does not list it"
    if package.name == "main":
        return ""
    said = package.error.err if package.error is not None else ""
    if EXCLUDED in said:
        return "" if cgo.left_out(package, listing.with_cgo) else "excluded by build tags"
    return said.splitlines()[0][:200] if said else f"package {package.name}"


def _foreign(import_path: str, packages: dict[str, Package], listing: Listing) -> Package:
    package = packages.get(import_path)
    said = package.error.err if package is not None and package.error is not None else ""
    if package is None or any(sign in said for sign in NOT_FOUND):
        raise UsageError(
            "no-such-package",
            f"{import_path} is no package of {listing.remote}@{listing.version}"
            if listing.remote
            else f"{import_path} is neither in this project nor in its dependencies",
            where=import_path,
            next=listing.all_of or f"wherry build {shlex.quote(import_path)}@latest",
        ).with_output(said)
    reason = _not_a_main(package, listing)
    if reason.startswith("package "):
        raise BuildError(
            "not-main",
            f"{import_path} is a library ({reason}), not a program",
            where=import_path,
            why="only a package main can be run",
            next=listing.all_of or "wherry plan ./...",
        )
    if reason == "excluded by build tags":
        raise BuildError(
            "no-go-files", f"{import_path} has no file for this platform and these build tags", where=import_path
        )
    if reason:
        raise BuildError(
            "go-list", f"Go cannot list {import_path}", where=import_path, why=reason, next="mend what Go says"
        )
    return package


def _main(package: Package, packages: dict[str, Package], listing: Listing, sources: Sources) -> Main:
    own = reachable(package.import_path, packages, listing.is_own)
    listed = cgo.Listed(packages=packages, with_cgo=listing.with_cgo, root=listing.root)
    embeds = {pattern for one in own for pattern in _embeds(one, listing.root)}
    return Main(
        import_path=package.import_path,
        name=name_of(package.import_path),
        module=package.module.path if package.module is not None else "",
        directory=package.dir if listing.remote else relative(package.dir, listing.root),
        cgo=cgo.cgo_uses(package.import_path, listed, frozenset(one.import_path for one in own)),
        embeds=tuple(sorted(embeds)),
        inferred=sources.inferred(tuple(_with_c_files(one, listing.with_cgo) for one in own or (package,))),
    )


def _embeds(package: Package, root: str) -> tuple[str, ...]:
    """What it embeds, as patterns from `root`: the sources alone say them, whatever is there. None of a package elsewhere, nor
    such as Go refuses (`go doc embed`)."""
    folder = relative(package.dir, root)
    if os.path.isabs(folder):
        return ()
    above = "" if folder == "." else _SPECIAL.sub(r"\\\g<0>", folder) + "/"
    patterns = (one.removeprefix("all:") for one in package.embed_patterns)
    return tuple(above + one for one in patterns if not {"", ".", ".."}.intersection(one.split("/")))


def _with_c_files(package: Package, with_cgo: Tags) -> Package:
    """With the files that only cgo brings in: the plan will turn it on for them."""
    extra = cgo.left_out(package, with_cgo)
    return msgspec.structs.replace(package, go_files=(*package.go_files, *extra)) if extra else package
