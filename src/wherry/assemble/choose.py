"""Which files of an asset are packed. An asset and an open root in, files and links out; touches the repository."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

from wherry.assemble.beneath import Parts, Root
from wherry.assemble.secrets import secret_part
from wherry.errors import BuildError, RefusedError, UsageError
from wherry.kit import snapshot
from wherry.kit.snapshot import Snapshot
from wherry.kit.value import Value
from wherry.model.plan import Asset

_MOST: Final = 200_000
"""Files in one asset; links to folders full of links to folders could name far more than there are."""

Match = Callable[[str], bool]


class Found(Value, frozen=True, kw_only=True):
    """A file or a link. `path` is where it goes, relative to the asset's `into`; `real` where it lies in the repository."""

    path: str
    real: Parts
    file: Snapshot | None = None
    """None for a link that stays one."""
    target: str = ""


class Chosen(Value, frozen=True, kw_only=True):
    """What an asset brings, sorted by path, and folders of secrets that its patterns choose, which were not looked into."""

    found: tuple[Found, ...]
    secrets: tuple[str, ...] = ()


class _Link(Value, frozen=True, kw_only=True):
    path: str
    folder: Parts
    real: Parts
    trail: tuple[Parts, ...]
    """Folders that links led to on the way here."""


def choose(asset: Asset, root: Root) -> Chosen:
    """Walks the asset's source; the errors are those of `assets.asset_entries`."""
    walk = _Walk(asset, root)
    source = root.resolve((), os.fsdecode(asset.source.encode()), name=asset.source)
    if not root.is_folder(source):
        walk.add_file(asset.source.rpartition("/")[2], source)
    else:
        walk.folder("", source, ())
    while walk.links:
        walk.follow(walk.links.pop(0))
    return Chosen(found=tuple(sorted(walk.found, key=lambda found: found.path)), secrets=tuple(walk.secrets))


class _Walk:
    def __init__(self, asset: Asset, root: Root) -> None:
        self.asset, self.root = asset, root
        self.included = _matcher(asset.include) if asset.include else lambda _: True
        self.excluded = _matcher(asset.exclude)
        self.exempt = frozenset(asset.source.split("/"))
        self.found: list[Found] = []
        self.secrets: list[str] = []
        self.links: list[_Link] = []
        self.places: dict[Parts, str] = {}
        """Real place to path, of packed files and of all folders."""
        self.holding: set[Parts] = set()
        """Real places of packed files and of every folder above one."""

    def folder(self, path: str, real: Parts, trail: tuple[Parts, ...]) -> None:
        """Adds what a folder holds, and remembers its links for when all files are known."""
        self.places.setdefault(real, path)
        with self.root.folder(real) as descriptor:
            for name in sorted(os.listdir(descriptor)):  # noqa: PTH208 - of an open folder
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                plain = os.fsencode(name).decode("utf-8", "surrogateescape")  # whatever the locale takes it for
                inner = f"{path}/{plain}" if path else plain
                if self.excluded(inner + "/" if stat.S_ISDIR(status.st_mode) else inner):
                    continue
                if stat.S_ISDIR(status.st_mode):
                    self.inner_folder(inner, (*real, name), trail)
                elif stat.S_ISLNK(status.st_mode):
                    target = self.root.resolve(real, os.readlink(name, dir_fd=descriptor), name="/".join((*real, name)))
                    self.links.append(_Link(path=inner, folder=real, real=target, trail=trail))
                elif self.included(inner):
                    self.add_file(inner, (*real, name), descriptor)

    def inner_folder(self, path: str, real: Parts, trail: tuple[Parts, ...]) -> None:
        if real[-1] not in self.exempt and secret_part(real[-1:]):
            self.secrets.extend((path,) if self.included(path) or self.included(path + "/") else ())
            return
        self.folder(path, real, trail)

    def add_file(self, path: str, real: Parts, folder: int | None = None) -> None:
        name = str(self.root.path.joinpath(*real))
        if len(self.found) == _MOST:
            raise RefusedError("asset-loop", f"the asset {self.asset.source} comes to more than {_MOST} files")
        try:
            file = self.root.file(real) if folder is None else snapshot.look(name, directory=folder)
        except OSError as error:
            raise BuildError(
                "asset-unreadable",
                f"the asset {'/'.join(real)} cannot be read: {os.strerror(error.errno or 0)}",
                where="/".join(real),
                next="make it readable, or leave it out with exclude",
            ) from error
        self.found.append(Found(path=path, real=real, file=file))
        self.places.setdefault(real, path)
        self.holding.update(real[:depth] for depth in range(len(real) + 1))

    def follow(self, link: _Link) -> None:
        """Keeps a link to what is packed; packs what others lead to."""
        is_folder = self.root.is_folder(link.real)
        chosen = self.included(link.path) or (is_folder and self.included(link.path + "/"))
        if chosen and link.real in self.places and link.real in self.holding:
            target = os.path.relpath(self.places[link.real] or ".", link.path.rpartition("/")[0] or ".")
            self.found.append(Found(path=link.path, real=link.real, target=target))
        elif not is_folder:
            if chosen:
                self.add_file(link.path, link.real)
        elif link.folder[: len(link.real)] == link.real or link.real in link.trail:
            where = "/".join((*link.folder, link.path.rpartition("/")[2]))
            raise RefusedError(
                "asset-loop",
                f"{where} leads to a folder that it lies in",
                where=where,
                next="leave it out with exclude",
            )
        else:
            self.folder(link.path, link.real, (*link.trail, link.real))


def _matcher(patterns: tuple[str, ...]) -> Match:
    """Whether a path (of a folder with a slash at its end) is meant by lines of a .gitignore."""
    if not patterns:
        return lambda _: False
    import pathspec

    try:
        return pathspec.GitIgnoreSpec.from_lines(patterns).match_file
    except ValueError as error:
        raise UsageError(
            "asset-pattern",
            f"{patterns!r} holds a pattern that .gitignore could not hold: {error}",
            next="correct it in wherry.toml",
        ) from error
