"""Files of a repository that nobody vouches for. Paths in, bounded bytes out; reads the disk, starts nothing, waits for
nothing.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

#: Go sources above this are generated tables, which tell nothing about a program.
LARGEST = 2 << 20


def read_regular(path: str, *, limit: int = LARGEST) -> bytes | None:
    """The bytes of a regular file, or None when it is none, is larger than `limit`, or cannot be read. Pipes are never
    waited for.
    """
    data = read_start(path, limit + 1)
    return data if data is not None and len(data) <= limit else None


def read_start(path: str, size: int) -> bytes | None:
    """At most `size` bytes from the start of a regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(size)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def irregular(folder: str) -> str:
    """The first entry called *.go that is a pipe, a socket or a device; Go would wait for it for ever."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".go"))
    except OSError:
        return ""
    return next((name for name in names if _is_irregular(os.path.join(folder, name))), "")


def _is_irregular(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def is_inside(path: str, root: str) -> bool:
    """Whether `path`, links resolved, lies in `root`."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def relative(path: str, root: str) -> str:
    """`path` relative to `root` with forward slashes; absolute when it lies outside. No link is resolved."""
    if path == root:
        return "."
    return path[len(root.rstrip("/")) + 1 :] if path.startswith(f"{root.rstrip('/')}/") else path
