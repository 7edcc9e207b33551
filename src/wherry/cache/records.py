"""Small facts by key: what an earlier run found out. Keys and bytes in, the same bytes or None out; touches `records/`.

The file's name is a hash of the key, so no key is ever a path (E10). Its first line is a hash over key and data: a torn, damaged,
foreign or renamed file is no record (E01, E04, E06). So nothing needs to be synced to disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from pathlib import Path

import msgspec

from wherry.cache.aside import move_aside
from wherry.cache.folders import Folders
from wherry.cache.leases import gate
from wherry.errors import UnavailableError
from wherry.kit.files import atomic_write
from wherry.model.finding import Finding

LARGEST = 16 << 20
_NAMED_BLOB = re.compile(rb'"sha256:([0-9a-f]{64})"')
_Part = str | int | tuple[object, ...] | None


def key(kind: str, *inputs: _Part) -> str:
    """A record's key: a hash over every input in one canonical encoding, so that no two lists of inputs meet (E06)."""
    return f"{kind}-{hashlib.sha256(msgspec.json.encode(inputs)).hexdigest()}"


class Records:
    """The `kit.ports.Records` on disk. Never an error: what cannot be read is None, what cannot be written is not kept.

    A record that names blobs (`"sha256:<hex>"` in its JSON) counts as a use of them when it is read or written. A blob that is
    there when the record is returned, or is put there after it was written, stays for as long as this run's lease.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.findings: list[Finding] = []

    def get(self, key: str, /) -> bytes | None:
        path = self.path(key)
        try:
            with gate(self.folders):
                data = _read(path)
                if data is not None and data[:65] == _sum(key, data[65:]):
                    self._use(data[65:])
                    return data[65:]
        except FileNotFoundError:
            return None
        except OSError:
            data = b""
        self._damaged(path)
        return None

    def put(self, key: str, data: bytes, /) -> None:
        path = self.path(key)
        with contextlib.suppress(OSError, UnavailableError):
            with gate(self.folders):
                self._use(data)
            if path.is_dir():
                move_aside(self.folders, path)
            atomic_write(path, _sum(key, data) + data, mode=0o600)

    def path(self, key: str, /) -> Path:
        """The file that `key`'s record is in, if there is one."""
        return Path(self.folders.records, hashlib.sha256(key.encode()).hexdigest())

    def _use(self, data: bytes) -> None:
        """To be called behind the gate."""
        for match in _NAMED_BLOB.finditer(data):
            stamp(self.folders, match[1].decode())

    def _damaged(self, path: Path) -> None:
        move_aside(self.folders, path)
        self.findings.append(
            Finding(
                name="damaged-cache",
                message="a cached fact was damaged; it was moved aside and will be found out again",
                severity="note",
                subject=str(path),
            )
        )


def stamp(folders: Folders, name: str) -> None:
    """Says that the blob `name` is in use now; to be called behind the gate."""
    path = f"{folders.used}/{name}"
    try:
        os.utime(path, follow_symlinks=False)
    except FileNotFoundError:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))


def _read(path: Path) -> bytes | None:
    """The file's bytes; None for what is no plain file of sensible size."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not 65 <= status.st_size <= LARGEST:
            return None
        return file.read()


def _sum(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + data).hexdigest().encode() + b"\n"
