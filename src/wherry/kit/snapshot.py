"""Files that must not change between being looked at and being read. A path in, its identity and bytes out; touches the disk."""

from __future__ import annotations

import os
import stat

from msgspec.structs import replace

from wherry.errors import BuildError
from wherry.kit.value import Value


class Snapshot(Value, frozen=True, kw_only=True):
    """A regular file as it was when looked at. Equal identity and times mean equal bytes (see `older` for the one gap)."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    executable: bool = False
    shared: bool = False
    """Other processes hold names of it. They come and go, which moves its times; its bytes are changed by nobody."""


def look(path: str, *, directory: int | None = None, shared: bool = False) -> Snapshot:
    """The state of the file at `path` (found by its last part in the open folder `directory`, if given); follows no link.

    Raises OSError as open does, and BuildError [not-a-file] for a folder, device, socket or pipe.
    """
    name = path if directory is None else os.path.basename(path)  # noqa: PTH119 - a text
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        return replace(_of(path, os.fstat(descriptor)), shared=shared)
    finally:
        os.close(descriptor)


def read_at(snapshot: Snapshot, offset: int, buffer: memoryview) -> None:
    """Fills `buffer` with the file's bytes from `offset`; BuildError [file-changed] unless it is still the file looked at.

    The check comes after the read and goes by identity, so neither a swapped folder nor a swapped file passes (A09).
    """
    try:
        descriptor = os.open(snapshot.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _changed(snapshot) from error
    try:
        filled = 0
        while filled < len(buffer) and (count := os.preadv(descriptor, (buffer[filled:],), offset + filled)):
            filled += count
        if filled < len(buffer) or not _is_still(snapshot, _of(snapshot.path, os.fstat(descriptor))):
            raise _changed(snapshot)
    finally:
        os.close(descriptor)


def _is_still(snapshot: Snapshot, now: Snapshot) -> bool:
    if snapshot.shared:
        now = replace(now, mtime_ns=snapshot.mtime_ns, ctime_ns=snapshot.ctime_ns, shared=True)
    return now == snapshot


def _of(path: str, status: os.stat_result) -> Snapshot:
    if not stat.S_ISREG(status.st_mode):
        raise BuildError(
            "not-a-file", f"{path} is neither a file nor a folder nor a link", where=path, next="leave it out"
        )
    return Snapshot(
        path=path,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        executable=bool(status.st_mode & 0o111),
    )


def _changed(snapshot: Snapshot) -> BuildError:
    return BuildError(
        "file-changed",
        f"{snapshot.path} changed while it was being packed",
        where=snapshot.path,
        next="run the same command again once nothing writes to it",
    )
