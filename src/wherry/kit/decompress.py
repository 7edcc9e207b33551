"""Decompression that believes nothing. A compressed source in, a source of its bytes out; touches nothing.

Every gzip member and every zstd frame is read to its end, checksums compared, and anything that follows and is
neither member nor frame refused (B14); so is what unpacks to far more than it should (B12). RFC 1952, RFC 8878.
"""

from __future__ import annotations

import zlib
from typing import Final

from wherry.errors import CorruptError
from wherry.kit.compress import Method
from wherry.kit.streams import CHUNK, Readable
from wherry.kit.value import Value

WINDOW_LOG: Final = 27
"""Largest zstd window, 128 MiB: what the zstd program itself accepts unless told otherwise."""

_INPUT: Final = 1 << 16
_ZSTD_MAGIC: Final = 0xFD2FB528
_SKIPPABLE: Final = 0x184D2A50


class Bounds(Value, frozen=True, kw_only=True):
    """How much a source may unpack to: `size` bytes, and `ratio` times its own length once more than `grace` bytes came out."""

    size: int = 32 << 30
    ratio: int = 250
    grace: int = 256 << 20


def opened(source: Readable, method: Method, *, name: str, bounds: Bounds | None = None) -> Readable:
    """The uncompressed bytes of `source`; reading raises CorruptError [damaged-stream] or [bomb] (too much, or a huge window)."""
    bounds = bounds or Bounds()
    counted = _Counted(source)
    match method:
        case "gzip":
            inner: Readable = _Gzip(counted, name)
        case "zstd":
            inner = _zstd(counted, name)
        case _:
            inner = counted
    return _Bounded(inner, counted, bounds, name)


class _Counted:
    def __init__(self, source: Readable) -> None:
        self.source = source
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = self.source.read(size)
        self.count += len(data)
        return data


class _Bounded:
    def __init__(self, inner: Readable, counted: _Counted, bounds: Bounds, name: str) -> None:
        self.inner, self.counted, self.bounds, self.name = inner, counted, bounds, name
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = self.inner.read(min(size, CHUNK))
        self.count += len(data)
        if not data and not self.counted.count:
            raise _damaged(self.name, "it is empty")
        allowed = max(self.bounds.grace, self.bounds.ratio * self.counted.count)
        if self.count > min(allowed, self.bounds.size):
            most = min(allowed, self.bounds.size)
            raise CorruptError("bomb", f"{self.name} unpacks to more than {most} bytes", where=self.name)
        return data


class _Gzip:
    """All members. `zlib` itself checks each one's CRC and length."""

    def __init__(self, source: Readable, name: str) -> None:
        self.source, self.name = source, name
        self.input = b""
        self.member = zlib.decompressobj(wbits=31)
        self.begun = self.ended = False

    def read(self, size: int, /) -> bytes:
        while not self.ended:
            if self.member.eof:
                self.input, self.member, self.begun = self.member.unused_data, zlib.decompressobj(wbits=31), False
            if not self.input:
                self.input = self.source.read(_INPUT)
            if not self.input and not self.begun:
                self.ended = True
                break
            data = self._step(size)
            if data:
                return data
        return b""

    def _step(self, size: int) -> bytes:
        drained = not self.input
        try:
            data = self.member.decompress(self.input, size)
        except zlib.error as error:
            raise _damaged(self.name, f"gzip says {error}") from error
        self.begun, self.input = True, self.member.unconsumed_tail
        if drained and not data and not self.member.eof:
            raise _damaged(self.name, "its gzip data ends too early")
        return data


class _Frames:
    """Passes zstd data through and follows its blocks, since libzstd's own reader is silent about an end that comes too early."""

    def __init__(self, source: Readable, name: str) -> None:
        self.source, self.name = source, name
        self.header = b""
        self.skip = 0
        self.state = "magic"
        self.checksum = self.last = False

    def read(self, size: int = -1, /) -> bytes:
        data = self.source.read(_INPUT if size < 0 else size)
        if not data and (self.state != "magic" or self.header or self.skip):
            raise _damaged(self.name, "its zstd data ends too early")
        position = 0
        while position < len(data):
            position = self._follow(data, position)
        return data

    def _follow(self, data: bytes, position: int) -> int:
        if self.skip:
            taken = min(self.skip, len(data) - position)
            self.skip -= taken
            return position + taken
        wanted = self._wanted() - len(self.header)
        self.header += data[position : position + wanted]
        if len(self.header) == self._wanted():
            self._step()
        return position + wanted

    def _wanted(self) -> int:
        return {"magic": 4, "skippable": 4, "descriptor": 1, "block": 3}[self.state]

    def _step(self) -> None:
        number, self.header = int.from_bytes(self.header, "little"), b""
        if self.state == "magic":
            if number != _ZSTD_MAGIC and number & ~0xF != _SKIPPABLE:
                raise _damaged(self.name, "something follows its zstd frames")
            self.state = "descriptor" if number == _ZSTD_MAGIC else "skippable"
        elif self.state == "skippable":
            self.skip, self.state = number, "magic"
        elif self.state == "descriptor":
            single, self.checksum = number >> 5 & 1, bool(number >> 2 & 1)
            content = (single, 2, 4, 8)[number >> 6]
            self.skip, self.state = (0 if single else 1) + (0, 1, 2, 4)[number & 3] + content, "block"
        else:
            last, kind, size = number & 1, number >> 1 & 3, number >> 3
            self.skip = (1 if kind == 1 else size) + (4 if last and self.checksum else 0)
            self.state = "magic" if last else "block"


class _Zstd:
    def __init__(self, source: _Frames, name: str) -> None:
        import zstandard

        self.name = name
        self.error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_LOG)
        self.reader = decompressor.stream_reader(
            source,  # type: ignore[arg-type] # needs only read
            read_size=_INPUT,
            read_across_frames=True,
        )

    def read(self, size: int, /) -> bytes:
        try:
            return self.reader.read(size)
        except self.error as error:
            kind = "bomb" if "memory" in str(error) or "window" in str(error).lower() else ""
            if kind:
                raise CorruptError(
                    "bomb", f"{self.name} wants a zstd window beyond 128 MiB", where=self.name
                ) from error
            raise _damaged(self.name, f"zstd says {error}") from error


def _zstd(source: Readable, name: str) -> _Zstd:
    return _Zstd(_Frames(source, name), name)


def _damaged(name: str, why: str) -> CorruptError:
    return CorruptError("damaged-stream", f"{name} is damaged: {why}", where=name, next="fetch or build it again")
