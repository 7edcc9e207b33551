"""Bytes by their digest. Bytes or files in, paths of verified files out; touches `blobs/`.

A name alone is never believed (E01): a blob is hashed when it is first used after the machine was started, and whenever its file
is no longer as it was when last hashed. What is wrong is moved aside and counts as not there (E04).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from wherry.cache.aside import move_aside
from wherry.cache.folders import Folders
from wherry.cache.leases import gate
from wherry.cache.records import Records, stamp
from wherry.kit.files import atomic_writer, disk_errors, sync_directory
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.oci.digest import Digest, of_bytes

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class _Seen(Value, frozen=True, kw_only=True):
    """A blob's file as it was when its bytes were hashed."""

    boot: str
    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Blobs:
    """The cache's blobs."""

    def __init__(self, folders: Folders, records: Records) -> None:
        self.folders, self.records = folders, records
        self.findings: list[Finding] = []

    def path(self, digest: Digest) -> Path:
        """Where the blob is or would be."""
        return Path(self.folders.blobs) / digest.path

    def add(self, data: bytes) -> Digest:
        """Keeps `data`, synced to disk before its name appears."""
        digest = of_bytes(data)
        self._expect(digest)
        with atomic_writer(self.path(digest), mode=0o400, durable=True) as file:
            file.write(data)
        return digest

    def take(self, source: Path, digest: Digest) -> Path:
        """Moves `source`, a private file on the cache's file system that the caller has hashed, in under its digest."""
        self._expect(digest)
        target = self.path(digest)
        with disk_errors(source):
            descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            source.replace(target)
            sync_directory(target.parent)
        return target

    def get(self, digest: Digest, size: int) -> Path | None:
        """The blob's file, certainly of these bytes, and kept while this run's lease lasts; None when there is none."""
        path = self.path(digest)
        try:
            with gate(self.folders):
                status = path.lstat()
                stamp(self.folders, digest.hex)
        except OSError:
            return None
        memory = f"blob-{digest}"
        if stat.S_ISREG(status.st_mode) and status.st_size == size:
            seen = _seen(status)
            if seen.boot and self.records.get(memory) == msgspec.json.encode(seen):
                return path
            if _hash(path) == digest.hex:
                self.records.put(memory, msgspec.json.encode(seen))
                return path
        self._damaged(path)
        return None

    @contextlib.contextmanager
    def turn(self, digest: Digest, /) -> Iterator[None]:
        """One process or thread at a time fetches this blob; the others wait, and then find it (E03). The lock dies with its
        process."""
        path = Path(self.folders.locks, f"blob-{digest.hex}")
        with disk_errors(path):
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
            path.unlink(missing_ok=True)  # who waits holds the same file, looks again, and finds the blob
        finally:
            os.close(descriptor)

    def _expect(self, digest: Digest) -> None:
        """Nobody deletes the blob from now on, and nothing in its place stops the rename."""
        with disk_errors(self.path(digest)), gate(self.folders):
            stamp(self.folders, digest.hex)
        if self.path(digest).is_dir():
            move_aside(self.folders, self.path(digest))

    def _damaged(self, path: Path) -> None:
        move_aside(self.folders, path)
        self.findings.append(
            Finding(
                name="damaged-cache",
                message="a cached file was damaged; it was moved aside and will be made again",
                subject=str(path),
            )
        )


def temporary(folders: Folders) -> Path:
    """A name for a file that `take` will move in; the caller creates it."""
    return Path(folders.scratch, f"blob-{secrets.token_hex(8)}.tmp")


def _seen(status: os.stat_result) -> _Seen:
    return _Seen(
        boot=boot_id(),
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified=status.st_mtime_ns,
        changed=status.st_ctime_ns,
    )


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def boot_id() -> str:
    """Changes with each start of the machine; empty where there is none, and then nothing is remembered."""
    try:
        return Path(BOOT_ID).read_text(encoding="ascii").strip()
    except OSError:
        return ""
