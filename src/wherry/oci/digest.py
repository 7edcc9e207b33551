"""Digests (image-spec descriptor.md#digests). Text or bytes in, a Digest out; touches nothing.

A Digest exists only when it is well formed, so a path or a URL built from one cannot leave its root (B16).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import Self

from wherry.errors import CorruptError

_FORM = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)


class Digest(str):
    """`sha256:` and 64 lower-case hexadecimal digits (sha512 and 128 are read, never written)."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _FORM.fullmatch(text):
            raise CorruptError("bad-digest", f"{text[:100]!r} is no digest", where=text[:100])
        return super().__new__(cls, text)

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def hex(self) -> str:
        return self.partition(":")[2]

    @property
    def path(self) -> PurePosixPath:
        """`sha256/<hex>`: where a layout keeps the blob (image-layout.md)."""
        return PurePosixPath(self.algorithm, self.hex)


def of_bytes(data: bytes) -> Digest:
    """The SHA-256 digest of `data`."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())
