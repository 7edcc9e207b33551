"""A base's layers as files. A descriptor and where its bytes are in, a Layer out; keeps blobs by digest.

Each is read once, from end to end, before it is believed: its packed bytes against their digest, what they unpack to against
the config's diff id, and the archive by the strict reader, which refuses paths that lead out, bombs and what other programs would
read differently (B01, B10, B12). That this was done is recorded, so that it is not done again for a blob that is still the same.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from wherry.errors import CorruptError
from wherry.kit import decompress, jsons
from wherry.kit.files import atomic_writer
from wherry.kit.ports import Event, Events, Records, silent
from wherry.kit.streams import CHUNK, Readable
from wherry.kit.value import Value
from wherry.model.image import Layer
from wherry.oci import media
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.layer import Hashed
from wherry.oci.reference import Reference
from wherry.oci.untar import members


class Kept(Protocol):
    """Bytes by their digest, from run to run (`cache.blobs`)."""

    def path(self, digest: Digest, /) -> Path:
        """Where the blob is or would be."""
        ...

    def get(self, digest: Digest, size: int, /) -> Path | None:
        """The blob's file, certainly of these bytes; None when there is none."""
        ...

    def add(self, data: bytes, /) -> Digest:
        """Keeps a small blob."""
        ...

    def take(self, source: Path, digest: Digest, /) -> Path:
        """Moves in a file that the caller has hashed."""
        ...

    def turn(self, digest: Digest, /) -> AbstractContextManager[None]:
        """One at a time fetches the blob, among all processes."""
        ...


class LayerSource(Value, frozen=True, kw_only=True):
    """Where a base's layers are, and whether they may stay there."""

    blob: Callable[[Descriptor], Iterator[bytes]]
    """Verified against digest and size."""
    origin: Reference | None = None
    """The registry repository they are in, if they are in one."""
    lazy: bool = False


class _Seen(Value, frozen=True, kw_only=True):
    """A layer that was read to its end and found right."""

    digest: str
    diff_id: str
    unpacked_size: int


class Shelf:
    """The layers of one run's bases. Safe to use from several threads."""

    def __init__(self, kept: Kept, records: Records, scratch: Path, events: Events = silent) -> None:
        self.kept, self.records, self.scratch, self.events = kept, records, scratch, events
        self._pending: dict[Digest, _Pending] = {}
        self._lock = threading.Lock()

    def layer(self, source: LayerSource, descriptor: Descriptor, diff_id: Digest) -> Layer:
        """The layer, its file there unless it may stay away. CorruptError [diff-id] when it does not unpack to what the config
        says, [bad-digest], and what reading an archive raises."""
        if descriptor.digest.algorithm != "sha256":
            raise CorruptError(
                "bad-digest", f"{descriptor.digest.algorithm} is not read by wherry", where=descriptor.digest
            )
        with self._lock:
            pending = self._pending.setdefault(descriptor.digest, _Pending(self, source, descriptor, diff_id))
        if not source.lazy:
            pending.bring()
        seen = pending.seen or self.seen(descriptor.digest, diff_id)
        here = pending.seen is not None
        return Layer(
            media_type=descriptor.media_type,
            digest=descriptor.digest,
            size=descriptor.size,
            diff_id=diff_id,
            unpacked_size=seen.unpacked_size if seen else 0,
            file=str(self.kept.path(descriptor.digest)),
            role="base",
            origin=source.origin,
            reused=pending.reused or not here,
            bring=None if here else pending.bring,
        )

    def seen(self, digest: Digest, diff_id: Digest) -> _Seen | None:
        """What an earlier run found the layer to be; None when it was not read, or was something else."""
        data = self.records.get(f"base-layer-{digest}")
        try:
            seen = jsons.decode(data, _Seen, name=digest) if data else None
        except CorruptError:
            return None
        return seen if seen and seen.diff_id == diff_id else None


class _Pending:
    """One layer that is here, or will be when asked for."""

    def __init__(self, shelf: Shelf, source: LayerSource, descriptor: Descriptor, diff_id: Digest) -> None:
        self.shelf, self.source, self.descriptor, self.diff_id = shelf, source, descriptor, diff_id
        self.seen: _Seen | None = None
        self.reused = False
        self._lock = threading.Lock()

    def bring(self) -> None:
        """Makes the file be there, fetched or found, and read to its end once."""
        with self._lock:
            if self.seen is None:
                self.seen = self._found()
            if self.seen is None:
                with self.shelf.kept.turn(self.descriptor.digest):
                    self.seen = self._found() or self._fetched()

    def _found(self) -> _Seen | None:
        path = self.shelf.kept.get(self.descriptor.digest, self.descriptor.size)
        if path is None:
            return None
        seen = self.shelf.seen(self.descriptor.digest, self.diff_id)
        if seen is None:
            with path.open("rb") as file:
                seen = self._checked(file)
        self.reused = True
        return seen

    def _fetched(self) -> _Seen:
        copy = self.shelf.scratch / f"base-{secrets.token_hex(8)}.tmp"
        doing = Event(phase="fetch", subject=str(self.descriptor.digest), total=self.descriptor.size)
        try:
            with atomic_writer(copy, mode=0o400) as file:

                def keep(chunk: bytes) -> None:
                    self.shelf.events(replace(doing, state="progress", done=file.tell()))
                    file.write(chunk)

                seen = self._checked(_Copied(self.source.blob(self.descriptor), keep))
            self.shelf.kept.take(copy, self.descriptor.digest)
        finally:
            copy.unlink(missing_ok=True)
        return seen

    def _checked(self, packed: Readable) -> _Seen:
        """Reads the whole layer; CorruptError [diff-id], [bad-tar], [bomb], [damaged-stream] ..."""
        name = f"layer {self.descriptor.digest}"
        plain = Hashed(decompress.opened(packed, media.compression(self.descriptor.media_type), name=name))
        for _ in members(plain, name=name):
            pass
        while plain.read(CHUNK):
            pass
        if plain.digest != self.diff_id:
            raise CorruptError(
                "diff-id",
                f"the layer {self.descriptor.digest} unpacks to {plain.digest}, not {self.diff_id}",
                where=str(self.descriptor.digest),
                next="use another base, or make this one again",
            )
        seen = _Seen(digest=str(self.descriptor.digest), diff_id=str(self.diff_id), unpacked_size=plain.size)
        self.shelf.records.put(f"base-layer-{self.descriptor.digest}", msgspec.json.encode(seen))
        return seen


class _Copied:
    """Verified chunks as something to read from, each written down as it passes."""

    def __init__(self, chunks: Iterator[bytes], write: Callable[[bytes], object]) -> None:
        self.chunks, self.write = chunks, write
        self.rest = b""

    def read(self, size: int, /) -> bytes:
        if not self.rest:
            self.rest = next(self.chunks, b"")
            self.write(self.rest)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data
