"""Who is running, so that nothing is deleted under anybody (E07). The cache's folders in, locks out; touches `locks/`.

Two locks, both by flock, so they die with their process. Each run holds a file of its own from beginning to end: its lease.
And all share one gate: to look something up and say "I use this" is one step behind it, to decide and delete is another.
So whatever a living run has used is younger than that run's lease, and is kept. What a run makes it marks as used behind the gate
first, and only then gives it its name: whoever decided to delete an older file of that name has done so by then.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from wherry.cache.folders import Folders
from wherry.kit.files import disk_errors

SUFFIX = ".run"
_FLAGS = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def lease(folders: Folders) -> Iterator[None]:
    """While it lasts, nothing that this process uses or adds is pruned."""
    path = Path(folders.locks, os.urandom(8).hex() + SUFFIX)
    with disk_errors(path), gate(folders):
        descriptor = os.open(path, _FLAGS | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


@contextlib.contextmanager
def gate(folders: Folders, *, alone: bool = False) -> Iterator[None]:
    """Users pass together, deleters one at a time and alone. Held for moments only."""
    descriptor = os.open(f"{folders.locks}/gate", _FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def oldest(folders: Folders) -> float | None:
    """When the oldest living lease began (Unix seconds), or None. To be called alone behind the gate; removes dead ones."""
    began = [_began(path) for path in Path(folders.locks).glob(f"*{SUFFIX}")]
    return min((time for time in began if time is not None), default=None)


def _began(path: Path) -> float | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
        return None
    except BlockingIOError:
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
