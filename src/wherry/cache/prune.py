"""Makes room. A cache and an order in, what was freed out; deletes what was used longest ago, and nothing that a living run uses.

Looking for candidates needs no lock. Each is looked at again behind the gate, where nobody can begin to use it: what was used
since, or could be of a run that lives, stays (E07, `leases`).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from wherry.cache.contents import Item, items, last_used, leftovers
from wherry.cache.folders import TAG, TAG_TEXT, Folders
from wherry.cache.leases import gate, oldest
from wherry.errors import RefusedError, UsageError
from wherry.kit.files import disk_errors
from wherry.kit.ports import Now
from wherry.kit.value import Value

LIMIT_VARIABLE = "WHERRY_CACHE_LIMIT"
MOST = 5_000_000_000
SHARE = 10
"""Without WHERRY_CACHE_LIMIT: at most MOST bytes, and at most one part in SHARE of the disk."""
DAY = 86_400.0
GRACE = 300.0
"""Beside a living run nothing younger is deleted, in case its clock was set meanwhile."""
BATCH = 64
"""Deletions for which the gate stays closed."""
UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d{1,15})\s*([kmgt]?)b?", re.ASCII | re.IGNORECASE)


class Order(Value, frozen=True, kw_only=True):
    """What is to go."""

    limit: int | None = None
    """Bytes that may stay."""
    before: float | None = None
    """Whatever was last used before this time (Unix seconds)."""
    everything: bool = False


class Freed(Value, frozen=True, kw_only=True):
    """What went, and what had to stay since a run is using it or could be."""

    count: int = 0
    bytes: int = 0
    in_use: int = 0


def prune(folders: Folders, order: Order, now: Now) -> Freed:
    """Deletes what `order` says. Safe beside any number of runs and other prunes; nothing happens where there is no cache.

    RefusedError [not-a-cache] for a folder that wherry did not make.
    """
    if not Path(folders.path).exists():
        return Freed()
    _check(folders)
    freed = Freed()
    with disk_errors(folders.path):
        for batch in _batches(_chosen(tuple(items(folders)), order)):
            freed = _delete(folders, batch, freed, now)
        _sweep(folders, now)
    return freed


def prune_if_due(folders: Folders, limit: int, now: Now) -> Freed | None:
    """Holds the cache to `limit`, at most once a day; None when that was done already. For the end of a build."""
    mark = Path(folders.path, "pruned")
    with disk_errors(mark):
        if mark.exists() and abs(now() - mark.stat().st_mtime) < DAY:
            return None
        mark.touch(mode=0o600)
        os.utime(mark, (now(), now()))
    return prune(folders, Order(limit=limit), now)


def limit_of(folders: Folders, variables: Mapping[str, str]) -> int:
    """Bytes this cache may hold; UsageError [bad-cache-limit] when WHERRY_CACHE_LIMIT is no size."""
    text = variables.get(LIMIT_VARIABLE, "").strip()
    if text:
        return size_of(text, f"{LIMIT_VARIABLE}=")
    existing = next(path for path in (Path(folders.path), *Path(folders.path).parents) if path.exists())
    with disk_errors(existing):
        disk = os.statvfs(existing)
    return min(MOST, disk.f_blocks * disk.f_frsize // SHARE)


def size_of(text: str, said: str) -> int:
    """`5GB`, `500 MB`, `1000000`: bytes, in powers of ten. `said` is what stands before it, for messages: `--limit `."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError(
            "bad-cache-limit",
            f"{text[:50]!r} is no size",
            where=f"{said}{text[:50]}",
            next=f"write it like {said}5GB or {said}500MB",
        )
    return int(match[1]) * UNITS[match[2].lower()]


def _chosen(found: tuple[Item, ...], order: Order) -> tuple[Item, ...]:
    """Oldest first."""
    ordered = sorted(found, key=lambda item: item.used)
    excess = sum(item.bytes for item in ordered) - order.limit if order.limit is not None else 0
    chosen = []
    for item in ordered:
        too_old = order.before is not None and item.used < order.before
        if order.everything or too_old or excess > 0:
            chosen.append(item)
            excess -= item.bytes
    return tuple(chosen)


def _batches(chosen: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    rest = iter(chosen)
    return list(iter(lambda: tuple(itertools.islice(rest, BATCH)), ()))


def _delete(folders: Folders, batch: tuple[Item, ...], freed: Freed, now: Now) -> Freed:
    count, size, in_use = freed.count, freed.bytes, freed.in_use
    with gate(folders, alone=True):
        limit = _in_use_since(folders, now)
        for item in batch:
            with contextlib.suppress(FileNotFoundError):
                used = last_used(item.kind, Path(item.path), folders)
                if used > item.used or used >= limit:
                    in_use += 1
                elif _remove(Path(item.path), Path(folders.path).lstat().st_dev):
                    count, size = count + 1, size + item.bytes
    return Freed(count=count, bytes=size, in_use=in_use)


def _sweep(folders: Folders, now: Now) -> None:
    with gate(folders, alone=True):
        limit = _in_use_since(folders, now)
        for path in leftovers(folders):
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < limit:
                    path.unlink()


def _in_use_since(folders: Folders, now: Now) -> float:
    """What was used at this time or later may be in use; infinite when nothing runs."""
    began = oldest(folders)
    return float("inf") if began is None else min(began, now() - GRACE)


def _remove(path: Path, device: int) -> bool:
    """Deletes a file, or a folder with what is in it; never through a link, never on another file system (E09)."""
    status = path.lstat()
    if status.st_dev != device:
        return False
    if not stat.S_ISDIR(status.st_mode):
        path.unlink()
        return True
    emptied = all(_remove(child, device) for child in sorted(path.iterdir()))
    if emptied:
        path.rmdir()
    return emptied


def _check(folders: Folders) -> None:
    tag = Path(folders.path, TAG)
    if Path(folders.path).is_symlink() or not tag.is_file() or tag.read_text(errors="replace") != TAG_TEXT:
        raise RefusedError(
            "not-a-cache",
            f"{folders.path} was not made by wherry, so nothing in it is deleted",
            where=folders.path,
            next="name the right folder by WHERRY_CACHE_DIR, or delete this one yourself",
        )
