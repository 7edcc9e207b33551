"""One packed layer as a file. Its path and promised digests in, its members out, verified; touches the file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from wherry.errors import CorruptError
from wherry.kit.decompress import Bounds, opened
from wherry.kit.files import disk_errors
from wherry.kit.streams import Readable
from wherry.kit.value import Value
from wherry.oci import media
from wherry.oci.digest import Digest
from wherry.oci.untar import Content, Member, members


class Packed(Value, frozen=True, kw_only=True):
    """A layer's blob, and what it must turn out to be; what is None or 0 is not known."""

    file: str
    media_type: str
    digest: Digest | None = None
    diff_id: Digest | None = None
    size: int = 0


class Hashed:
    """A source that knows the SHA-256 and the number of the bytes read from it so far."""

    def __init__(self, source: Readable) -> None:
        self.source = source
        self.sha256 = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self.source.read(size)
        self.sha256.update(data)
        self.size += len(data)
        return data

    @property
    def digest(self) -> Digest:
        return Digest("sha256:" + self.sha256.hexdigest())


Told = Callable[[int], None]
"""Hears how many bytes the tar had, once all of it was read."""


def read(packed: Packed, *, bounds: Bounds | None = None, told: Told | None = None) -> Iterator[tuple[Member, Content]]:
    """The layer's members, from its file; UnavailableError [disk], and what `read_stream` raises."""
    with disk_errors(packed.file), open(packed.file, "rb") as file:  # noqa: PTH123 - a blob's path is a string
        yield from read_stream(packed, file, bounds=bounds, told=told)


def read_stream(
    packed: Packed, source: Readable, *, bounds: Bounds | None = None, told: Told | None = None
) -> Iterator[tuple[Member, Content]]:
    """The layer's members. Only who reads to the end knows that the bytes are the promised ones: CorruptError [digest-mismatch]
    may come after the last member, as may what `untar.members` and `decompress.opened` raise."""
    method = media.compression(packed.media_type)
    name = f"layer {packed.digest or packed.file}"
    outer = Hashed(source)
    inner = Hashed(opened(outer, method, name=name, bounds=bounds))
    yield from members(inner, name=name)
    for promised, found in ((packed.diff_id, inner.digest), (packed.digest, outer.digest), (packed.size, outer.size)):
        if promised and promised != found:
            raise CorruptError("digest-mismatch", f"{name} turns out to be {found}, not {promised}", where=packed.file)
    if told:
        told(inner.size)
