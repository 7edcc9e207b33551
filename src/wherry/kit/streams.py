"""Streams that check what they carry. A byte source, its promised size and SHA-256 in, verified bytes out; touches nothing.

The check lives in the stream, so no caller can forget it (rule 5; C05, C07, B16).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

from wherry.errors import CorruptError

CHUNK = 1 << 20


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def verified_chunks(source: Readable, *, sha256: str, size: int, name: str) -> Iterator[bytes]:
    """Chunks of `source`; raises CorruptError [short-blob], [long-blob] or [digest-mismatch] unless it holds exactly that.

    The last chunk is given only after the digest matched: a consumer that stops early has proved nothing.
    """
    hasher, seen, held = hashlib.sha256(), 0, b""
    while chunk := source.read(CHUNK):
        seen += len(chunk)
        if seen > size:
            raise CorruptError("long-blob", f"{name} is longer than the {size} bytes promised", where=name)
        hasher.update(chunk)
        if held:
            yield held
        held = chunk
    if seen < size:
        raise CorruptError("short-blob", f"{name} ended after {seen} of {size} bytes", where=name, next="try again")
    if hasher.hexdigest() != sha256:
        raise CorruptError(
            "digest-mismatch", f"{name} hashes to sha256:{hasher.hexdigest()}, not sha256:{sha256}", where=name
        )
    if held:
        yield held


def read_limited(source: Readable, *, limit: int, name: str) -> bytes:
    """All of `source`, or CorruptError [too-large] beyond `limit` bytes (C09)."""
    parts, seen = [], 0
    while chunk := source.read(min(CHUNK, limit + 1 - seen)):
        seen += len(chunk)
        if seen > limit:
            raise CorruptError("too-large", f"{name} is larger than {limit} bytes", where=name)
        parts.append(chunk)
    return b"".join(parts)
