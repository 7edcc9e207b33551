"""What a cache holds. The cache's folders in, items with size and last use out; reads those folders, follows no link (E09).

Only names that wherry gives are items: whatever else lies there is nobody's business.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from wherry.cache.folders import Folders
from wherry.kit.value import Value


class Item(Value, frozen=True, kw_only=True):
    """One thing that can be deleted."""

    kind: str
    path: str
    bytes: int
    """Freed by deleting it: nothing for a blob that an image in wherry's store shares."""
    shared: int = 0
    used: float
    """Unix seconds."""


class Row(Value, frozen=True, kw_only=True):
    """All items of one kind."""

    kind: str
    count: int
    bytes: int
    shared: int
    """Bytes that wherry's store holds as well."""
    oldest: float
    """When the one unused for longest was used; 0 when there is none."""


class _Kind(Value, frozen=True, kw_only=True):
    name: str
    folder: Callable[[Folders], str]
    pattern: re.Pattern[str]


KINDS = (
    _Kind(name="layers", folder=lambda folders: f"{folders.blobs}/sha256", pattern=re.compile(r"[0-9a-f]{64}")),
    _Kind(name="binaries", folder=lambda folders: folders.binaries, pattern=re.compile(r"[0-9a-f]{32}")),
    _Kind(name="records", folder=lambda folders: folders.records, pattern=re.compile(r"[0-9a-f]{64}")),
    _Kind(name="unchanged builds", folder=lambda folders: folders.noop, pattern=re.compile(r"[0-9a-f]{64}\.json")),
    _Kind(name="damaged", folder=lambda folders: folders.damaged, pattern=re.compile(r".+")),
)
_LEFT = re.compile(r"\..+\.tmp|blob-[0-9a-f]+\.tmp")


def items(folders: Folders) -> Iterator[Item]:
    """Everything that is kept."""
    for kind in KINDS:
        for path in _named(kind.folder(folders), kind.pattern):
            with contextlib.suppress(FileNotFoundError):
                yield _item(kind.name, path, folders)


def leftovers(folders: Folders) -> Iterator[Path]:
    """Temporary files of runs that were killed (or of one that lives: those are young), and marks of blobs that are gone."""
    for folder in (*(kind.folder(folders) for kind in KINDS), folders.scratch):
        yield from _named(folder, _LEFT)
    for mark in _named(folders.used, KINDS[0].pattern):
        if not Path(folders.blobs, "sha256", mark.name).exists():
            yield mark


def df(folders: Folders) -> tuple[Row, ...]:
    """One row a kind, also for those of which there are none."""
    found = tuple(items(folders))
    return tuple(_row(kind.name, tuple(item for item in found if item.kind == kind.name)) for kind in KINDS)


def last_used(kind: str, path: Path, folders: Folders) -> float:
    """Unix seconds; FileNotFoundError when it is gone. A blob says so by its mark, a binary by links to it being made and
    removed, the rest by being read, which most file systems note once a day."""
    status = path.lstat()
    if kind == "layers":
        with contextlib.suppress(FileNotFoundError):
            return max(status.st_mtime, Path(folders.used, path.name).lstat().st_mtime)
    if kind == "binaries" and stat.S_ISDIR(status.st_mode):
        return max((status.st_mtime, *(max(one.st_mtime, one.st_ctime) for one in _files(path))))
    return max(status.st_mtime, status.st_atime) if kind in ("records", "unchanged builds") else status.st_mtime


def _item(kind: str, path: Path, folders: Folders) -> Item:
    status = path.lstat()
    files = tuple(_files(path)) if stat.S_ISDIR(status.st_mode) else (status,)
    shared = status.st_size if kind == "layers" and status.st_nlink > 1 else 0
    return Item(
        kind=kind,
        path=str(path),
        bytes=sum(one.st_size for one in files) - shared,
        shared=shared,
        used=last_used(kind, path, folders),
    )


def _files(folder: Path) -> Iterator[os.stat_result]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                yield entry.stat(follow_symlinks=False)


def _named(folder: str, pattern: re.Pattern[str]) -> Iterator[Path]:
    """Nothing at all in a folder that is a link, or of another user."""
    try:
        status = Path(folder).lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    except FileNotFoundError:
        ours = False
    return (path for path in sorted(Path(folder).iterdir() if ours else ()) if pattern.fullmatch(path.name))


def _row(kind: str, found: tuple[Item, ...]) -> Row:
    return Row(
        kind=kind,
        count=len(found),
        bytes=sum(item.bytes for item in found),
        shared=sum(item.shared for item in found),
        oldest=min((item.used for item in found), default=0.0),
    )
