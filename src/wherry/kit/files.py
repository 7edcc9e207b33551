"""Files written whole or not at all, and paths that cannot leave their root. Bytes and paths in, files out; touches the disk."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from wherry.errors import RefusedError, UnavailableError

PRIVATE_DIRECTORY = 0o700
TEMPORARY = ".tmp"
"""How files end that are being written; nobody is told of them."""
_FULL = "free space, or choose another place"
_CLOSED = "allow it to your user, or choose another place"
_MENDS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: "mount it writable, or choose another place",
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
}
_unfinished: set[Path] = set()
"""Those of this process."""


@contextlib.contextmanager
def disk_errors(path: Path | str) -> Iterator[None]:
    """Turns an OSError about `path` into one clear error (E05): full disk, no permission, read-only, not a folder."""
    try:
        yield
    except OSError as error:
        named = str(error.filename or path)
        raise UnavailableError(
            "disk",
            f"could not use {path}: {os.strerror(error.errno) if error.errno else error}",
            where=named if named.startswith(f"{path}/") and not named.endswith(TEMPORARY) else str(path),
            next=f"{_MENDS.get(error.errno or 0, 'see what is there, or choose another place')}, then try again",
        ) from error


@contextlib.contextmanager
def atomic_writer(path: Path, *, mode: int = 0o644, durable: bool = False) -> Iterator[BinaryIO]:
    """A file object whose bytes appear at `path` only when the block ends well: same folder, exclusive, renamed last (E01).

    `durable` syncs the file before and its folder after the rename: for what a later run believes by its name alone.
    """
    with disk_errors(path), aside(path) as temporary:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            sync_directory(path.parent)


@contextlib.contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A name beside `path` for the file or folder that the block makes and renames to `path`; short-lived."""
    temporary = path.with_name(f".{path.name[:64]}.{os.urandom(8).hex()}{TEMPORARY}")
    with short_lived(temporary):
        yield temporary


@contextlib.contextmanager
def short_lived(path: Path) -> Iterator[None]:
    """The file or folder that is at `path` when the block ends is removed, at whatever moment an interrupt comes (H06)."""
    _unfinished.add(path)
    try:
        yield
    finally:
        _remove(path)
        _unfinished.discard(path)  # not reached by who is interrupted a second time: `abandon` still knows it


def abandon() -> None:
    """Takes away what other threads are writing, and what an interrupt kept from being taken away, for a process that is about
    to end (H06)."""
    for path in tuple(_unfinished):
        _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except IsADirectoryError:
        import shutil  # seldom needed, and slow to import

        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # what stopped the writing is told already
        return


def atomic_write(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = False) -> None:
    """Writes `data` to `path` whole, or leaves `path` as it was."""
    with atomic_writer(path, mode=mode, durable=durable) as file:
        file.write(data)


def sync_directory(path: Path) -> None:
    """Makes renames inside `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_directory(path: Path) -> Path:
    """Makes `path` (0700, with parents) and returns it; refuses a link or a folder of another user (E08)."""
    with disk_errors(path):
        path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        status = path.lstat()
    if not path.is_dir() or path.is_symlink() or status.st_uid != os.geteuid():
        raise RefusedError(
            "foreign-directory",
            f"{path} is a link, no folder, or belongs to another user",
            where=str(path),
            next="remove it, or name another folder by WHERRY_CACHE_DIR or WHERRY_DATA_DIR",
        )
    return path


def safe_join(root: Path, name: str) -> Path:
    """`root`/`name`, refused when `name` is absolute, empty, climbs, or holds NUL or a backslash. Lexical only (B01)."""
    parts = name.split("/")
    if not name or name.startswith("/") or "\0" in name or "\\" in name or ".." in parts:
        raise RefusedError("path-escape", f"the path {name!r} leads out of its root", where=str(root))
    return root.joinpath(*(part for part in parts if part not in ("", ".")))


def is_beneath(path: Path, root: Path) -> bool:
    """True when `path`, with every link resolved, lies in `root`."""
    return path.resolve().is_relative_to(root.resolve())


def is_sized(path: str, size: int) -> bool:
    """True when `path` is a regular file of just this size; an empty path is none."""
    if not path:
        return False
    try:
        status = Path(path).stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


def chunks(path: str) -> Iterator[bytes]:
    """A file's bytes as they are."""
    with disk_errors(path), Path(path).open("rb", buffering=0) as file:
        while data := file.read(1 << 20):
            yield data
