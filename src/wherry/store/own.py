"""Wherry's own store: an OCI layout by name under the user's data folder. A Built in, names on disk out; touches that
folder.

`DATA/store/1/` holds the layout of format 1; another format gets another folder, never an upgrade in place (E10).
Names are only ever text inside index.json. Blobs are hard links to the cache's files where possible; all is synced
before a name points to it (E01).
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from wherry.errors import CorruptError, UsageError, WherryError
from wherry.kit.files import disk_errors, private_directory
from wherry.kit.value import Value
from wherry.model.image import Built, Published, Stored
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import documents, entries, layout, naming
from wherry.store.blobs import Blobs
from wherry.store.content import Content
from wherry.store.entries import Entry
from wherry.store.place import OwnPlace

FORMAT = "1"


class Own:
    """The keeper of `store:NAME[:TAG]` beneath `data`."""

    def __init__(self, place: OwnPlace, data: str) -> None:
        self.place = place
        self.directory = folder(data)

    def publish(self, built: Built, /) -> Published:
        """Keeps the image under the place's name, else every -t, else `name:version`."""
        names = naming.names_of(built, self.place.reference)
        private_directory(self.directory)
        with layout.locked(self.directory):
            blobs = Blobs(self.directory, shared=True)
            known = layout.read_entries(self.directory)
            blobs.add(built)
            new = known
            for name in names:
                new = entries.put(new, layout.described(built, name=name, full=naming.in_full(name)))
            layout.write_entries(self.directory, new, known, durable=True)
        return Published(
            reference=f"{names[0]}@{built.digest}",
            place=f"store:{names[0]}",
            digest=built.digest,
            names=names,
            sent=blobs.written,
            findings=tuple(blobs.findings),
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """Keeps `content` under the place's name, else under `references`. A name without a tag gets that of the first of
        `references`, else one made of the digest."""
        tag = references[0].tag if references else ""
        wanted = (self.place.reference,) if self.place.reference else references
        wanted = tuple(one if one.tag else replace(one, tag=tag) for one in wanted)
        names = tuple(dict.fromkeys(f"{one.name}:{one.tag or _short(content.digest)}" for one in wanted))
        if not names:
            raise UsageError("no-name", "an image in wherry's store has a name", next="write it: store:NAME:TAG")
        private_directory(self.directory)
        named = tuple(layout.entry_of(content, name, naming.in_full(name)) for name in names)
        blobs = layout.keep(self.directory, content, named, shared=True)
        published = naming.put_rows(tuple((name, f"store:{name}") for name in names), content.digest, blobs.written)
        return layout.with_findings(published, blobs)

    def open(self) -> Stored:
        """The image of that name, without a tag the one kept last. A damaged blob is moved aside, not served (E04)."""
        if self.place.reference is None:
            raise UsageError(
                "no-such-image", f"{self.place} names no image", next="write the image's name behind the colon"
            )
        known = _entries(self.directory)
        found = tuple(entry for entry in known if _means(entry.name, self.place.reference, entry.descriptor.digest))
        if not found:
            listed = ", ".join(dict.fromkeys(entry.name for entry in reversed(known)))
            raise UsageError(
                "no-such-image",
                f"wherry's store holds no image {self.place.reference}",
                why=f"it holds {listed}" if listed else "it is empty",
                next=f"wherry build -t {shlex.quote(str(self.place.reference))} -o store:",
            )
        top = found[-1]
        return documents.stored(self._fetch, top.descriptor, reference=f"{top.name}@{top.descriptor.digest}")

    def file(self, descriptor: Descriptor, /) -> str:
        """Where the blob is, unchecked."""
        return str(Blobs(self.directory, shared=True).path(descriptor.digest))

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        """As `Layout.blob`; what proves wrong is moved aside before the error."""
        try:
            yield from Blobs(self.directory, shared=True).read(descriptor)
        except CorruptError as error:
            raise self._aside(descriptor.digest, error) from error

    def _fetch(self, descriptor: Descriptor) -> bytes:
        return b"".join(self.blob(descriptor))

    def _aside(self, digest: Digest, error: CorruptError) -> CorruptError:
        """Moves a damaged blob to `damaged/`, so that the next build writes it anew; the error to raise."""
        path = Blobs(self.directory, shared=True).path(digest)
        aside = self.directory / "damaged" / f"{digest.hex}.{secrets.token_hex(4)}"
        with disk_errors(path):
            aside.parent.mkdir(exist_ok=True)
            if os.path.lexists(path):
                path.replace(aside)
        return CorruptError(
            "damaged-image",
            f"wherry's store has a damaged file: {error.message}",
            where=str(path),
            why="it was moved aside; the store is otherwise sound",
            next="build or pull the image again",
        )


def _short(digest: Digest) -> str:
    return f"sha256-{digest.hex[:12]}"


class OwnImage(Value, frozen=True, kw_only=True):
    """One name of the store, for lists."""

    name: str
    descriptor: Descriptor


def folder(data: str) -> Path:
    """Where the store lies beneath a data folder."""
    return Path(data) / "store" / FORMAT


def images(data: str) -> tuple[OwnImage, ...]:
    """All names, the one kept last first. Documents are not read."""
    return tuple(OwnImage(name=entry.name, descriptor=entry.descriptor) for entry in reversed(_entries(folder(data))))


def forget(data: str, names: tuple[str, ...]) -> None:
    """Takes names out of the store; their blobs go at the next `prune`."""
    directory = folder(data)
    if not (directory / layout.MARKER).exists():
        return
    with layout.locked(directory):
        known = layout.read_entries(directory)
        layout.write_entries(directory, entries.drop(known, frozenset(names)), known, durable=True)


def unreferenced(data: str, *, before: float) -> tuple[Path, ...]:
    """Files of the store that no name leads to, last changed before this Unix time: blobs, temporaries, damaged ones.

    When a document cannot be read, nothing beneath it is known, and so no blob is given."""
    directory = folder(data)
    if not (directory / layout.MARKER).exists():
        return ()
    with layout.locked(directory):
        return _unreferenced(directory, before)


def prune(data: str, *, before: float) -> int:
    """Deletes what `unreferenced` gives; bytes freed. Holds the store's lock: nobody can begin to need them meanwhile (E07)."""
    directory = folder(data)
    if not (directory / layout.MARKER).exists():
        return 0
    freed = 0
    with layout.locked(directory):
        for path in _unreferenced(directory, before):
            with disk_errors(path):
                freed += path.lstat().st_size
                path.unlink()
    return freed


def _unreferenced(directory: Path, before: float) -> tuple[Path, ...]:
    needed = _needed(directory)
    if needed is None:
        return ()
    candidates = [*directory.glob("blobs/*/*"), *directory.glob("blobs/*/.*.tmp"), *directory.glob(".*.tmp")]
    candidates += directory.glob("damaged/*")
    return tuple(
        path
        for path in candidates
        if f"{path.parent.name}:{path.name}" not in needed and not path.is_dir() and path.lstat().st_mtime < before
    )


def _needed(directory: Path) -> frozenset[str] | None:
    blobs, needed = Blobs(directory, shared=True), set[str]()
    for entry in layout.read_entries(directory).entries:
        try:
            found = documents.stored(blobs.fetch, entry.descriptor, reference=entry.name)
        except WherryError:
            return None
        needed.update(document.digest for document in found.documents)
        needed.update(layer.digest for image in found.images for layer in image.layers)
    return frozenset(needed)


def _entries(directory: Path) -> tuple[Entry, ...]:
    return layout.read_entries(directory).entries if (directory / layout.MARKER).exists() else ()


def _means(name: str, wanted: Reference, digest: Digest) -> bool:
    repository, _, tag = name.rpartition(":")
    return repository == wanted.name and wanted.tag in ("", tag) and wanted.digest in (None, digest)
