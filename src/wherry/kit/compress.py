"""Compression in independent members, so that bytes depend on the input alone and never on the number of threads.

A block of bytes in, a complete gzip member, zstd frame or the bytes themselves out; touches nothing. RFC 1952 section 2.2 and
RFC 8878 section 3.1: members and frames may follow one another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Final, Literal

from wherry.errors import UsageError

Method = Literal["gzip", "zstd", "none"]
Compress = Callable[[memoryview], bytes | bytearray]

MEBIBYTE: Final = 1 << 20
_local = threading.local()


def block_size(method: Method) -> int:
    """Bytes of input in one member: larger ones compress better, smaller ones spread over threads."""
    return 2 * MEBIBYTE if method == "zstd" else MEBIBYTE


def levels(method: Method) -> range:
    """The levels a method knows; 0 stands for the default one."""
    return {"gzip": range(1, 13), "zstd": range(1, 23), "none": range(0)}[method]


def compressor(method: Method, level: int) -> Compress:
    """A function from a block to a member; callable from several threads at once. `level` 0: gzip 1, zstd 3.

    UsageError [bad-level] for a level outside of `levels`.
    """
    if level and level not in levels(method):
        known = levels(method)
        raise UsageError(
            "bad-level",
            f"{method} has no level {level}",
            next=f"choose {known.start} to {known.stop - 1}" if method != "none" else "leave the level out",
        )
    match method:
        case "gzip":
            from deflate import gzip_compress

            # libdeflate writes mtime 0, no name, and 255 (unknown) as the system: nothing of this machine
            return lambda block: gzip_compress(block, level or 1)
        case "zstd":
            return partial(_zstd, level=level or 3)
        case "none":
            return bytes


def identity(method: Method, level: int) -> str:
    """Names everything but the input that compressed bytes depend on: for cache keys."""
    match method:
        case "gzip":
            return f"gzip {level or 1} libdeflate {version(method)} {block_size(method)}"
        case "zstd":
            return f"zstd {level or 3} {version(method)} {block_size(method)}"
        case "none":
            return "none"


def version(method: Method) -> str:
    """Of the library that compresses; equal versions give equal bytes. Empty for none."""
    match method:
        case "gzip":
            import deflate

            return deflate.__version__
        case "zstd":
            import zstandard

            return ".".join(map(str, zstandard.ZSTD_VERSION))
        case "none":
            return ""


def _zstd(block: memoryview, *, level: int) -> bytes:
    import zstandard

    known: dict[int, zstandard.ZstdCompressor] = _local.__dict__.setdefault("zstd", {})
    if level not in known:
        known[level] = zstandard.ZstdCompressor(level=level, write_checksum=True)
    return known[level].compress(block)
