"""An archive's layout in, its compressed bytes in a file and both digests out. Touches the file it is given.

One thread hashes the archive while others compress it, each reading the sources for itself; the caller's thread writes the
members in order. Blocks have one size, so the bytes do not depend on the number of threads; few are in memory at a time.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Final

from wherry.errors import BuildError
from wherry.kit import compress
from wherry.kit.value import Value
from wherry.oci.tar import Layout

_WRITEBACK: Final = 4 << 20
_MOST_THREADS: Final = 8
"""More would wait for the hashing thread, and each has members in memory."""


class Squeezed(Value, frozen=True, kw_only=True):
    """What came out; `digest` is empty when the work was given up, because the archive was known."""

    diff_id: str
    digest: str = ""
    size: int = 0


class Press(Value, frozen=True, kw_only=True):
    """How to compress, on how many threads."""

    method: compress.Method
    level: int = 0
    threads: int = 2


class _Sums:
    """Work on one archive by several threads: the CRC of each block as the hashing and as the compressing thread saw it."""

    def __init__(self, layout: Layout, press: Press) -> None:
        self.layout = layout
        self.block = compress.block_size(press.method)
        self.compress = compress.compressor(press.method, press.level)
        self.stop = threading.Event()
        self.hashed: list[int] = []
        self.compressed: list[int] = []
        self._local = threading.local()

    def read(self, offset: int) -> memoryview:
        """The block at `offset`, in a buffer that this thread uses again."""
        if not hasattr(self._local, "buffer"):
            self._local.buffer = memoryview(bytearray(min(self.block, self.layout.size)))
        buffer: memoryview = self._local.buffer[: min(self.block, self.layout.size - offset)]
        self.layout.read(offset, buffer)
        return buffer


def squeeze(layout: Layout, press: Press, out: BinaryIO, known: Callable[[str], bool]) -> Squeezed:
    """Writes `layout` compressed to `out`. As soon as the archive's own digest is there `known` is asked about it; yes ends it.

    BuildError [file-changed] when a source is not the same from beginning to end.
    """
    work, writing = _Sums(layout, press), _Writing(out)
    threads = min(press.threads, _MOST_THREADS)
    with ThreadPoolExecutor(threads + 1, "wherry-pack") as pool:
        try:
            hashing = pool.submit(_hash, work, known)
            for member in _members(work, pool, 2 * threads):
                writing.add(member)
            diff_id = hashing.result()
            if work.stop.is_set():
                return Squeezed(diff_id=diff_id)
        finally:
            work.stop.set()
    if work.hashed != work.compressed:
        raise BuildError("file-changed", "a file changed while it was being packed", next="run the same command again")
    return Squeezed(diff_id=diff_id, digest="sha256:" + writing.digest.hexdigest(), size=writing.size)


class _Writing:
    """A file that is on its way to the disk while it grows, so that syncing it at the end takes no time."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.digest = out, hashlib.sha256()
        self.size = self.sent = 0

    def add(self, member: bytes | bytearray) -> None:
        self.digest.update(member)
        left = memoryview(member)
        while left:
            left = left[self.out.write(left) :]
        self.size += len(member)
        if self.size - self.sent >= _WRITEBACK:
            # Linux answers this advice by starting to write what is dirty; pages being written stay in memory
            os.posix_fadvise(self.out.fileno(), self.sent, self.size - self.sent, os.POSIX_FADV_DONTNEED)
            self.sent = self.size


def _hash(work: _Sums, known: Callable[[str], bool]) -> str:
    from deflate import crc32

    digest = hashlib.sha256()
    for offset in range(0, work.layout.size, work.block):
        if work.stop.is_set():
            return ""
        block = work.read(offset)
        digest.update(block)
        work.hashed.append(crc32(block))
    diff_id = "sha256:" + digest.hexdigest()
    if known(diff_id):
        work.stop.set()
    return diff_id


def _members(work: _Sums, pool: ThreadPoolExecutor, window: int) -> Iterator[bytes | bytearray]:
    waiting: deque[Future[tuple[int, bytes | bytearray]]] = deque()
    for offset in range(0, work.layout.size, work.block):
        if work.stop.is_set():
            return
        waiting.append(pool.submit(_member, work, offset))
        if len(waiting) == window:
            yield _next(work, waiting)
    while waiting and not work.stop.is_set():
        yield _next(work, waiting)


def _next(work: _Sums, waiting: deque[Future[tuple[int, bytes | bytearray]]]) -> bytes | bytearray:
    crc, member = waiting.popleft().result()
    work.compressed.append(crc)
    return member


def _member(work: _Sums, offset: int) -> tuple[int, bytes | bytearray]:
    from deflate import crc32

    block = work.read(offset)
    return crc32(block), work.compress(block)
