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
    temporary = path.parent / f".{path.name[:64]}.{os.urandom(8).hex()}{TEMPORARY}"
    with disk_errors(path):
        _unfinished.add(temporary)
        try:  # an interrupt may come as soon as the file is there
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), mode)
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            _unfinished.discard(temporary)
        if durable:
            sync_directory(path.parent)


def abandon() -> None:
    """Takes away what other threads are writing, for a process that is about to end without them (H06)."""
    for temporary in tuple(_unfinished):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
