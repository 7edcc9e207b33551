"""Private folders for one run. A parent folder in, a folder that is gone afterwards out; touches the disk.

Each folder is locked while its run lives; whoever comes next removes those whose lock is free (killed runs).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from wherry.kit.files import disk_errors, private_directory, short_lived

PREFIX = "run-"


@contextlib.contextmanager
def scratch_folder(parent: str) -> Iterator[str]:
    """A new folder (0700) below `parent`, removed at the end together with those that killed runs left there."""
    root = private_directory(Path(parent))
    folder = root / f"{PREFIX}{os.urandom(8).hex()}"
    with short_lived(folder):
        with disk_errors(root), locked(root):  # else another's sweep could come between making and locking
            sweep(root)
            folder.mkdir(mode=0o700)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield str(folder)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Holds the folder's lock, which dies with this process; without `wait`, BlockingIOError when another holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def sweep(root: Path) -> None:
    """Removes folders of dead runs: only our own names, only real folders, only when their lock is free (E07, E09)."""
    for entry in os.scandir(root):
        if not entry.name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
            continue
        with contextlib.suppress(OSError), locked(Path(entry.path), wait=False):
            import shutil  # seldom needed, and slow to import before Go has begun

            shutil.rmtree(entry.path, ignore_errors=True)
