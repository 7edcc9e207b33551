"""`oci-archive:` files: a tar of an OCI layout. A Built in, one file out and back; touches that file.

An archive is replaced whole, and its bytes depend on the image and its names alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wherry.model.image import Built, Published, Stored
from wherry.oci.descriptor import Descriptor
from wherry.oci.reference import Reference
from wherry.store import archive, documents, entries, layout, members, naming
from wherry.store.content import Content
from wherry.store.place import OciArchivePlace


class OciArchive:
    """The keeper of `oci-archive:FILE[:TAG]`."""

    def __init__(self, place: OciArchivePlace) -> None:
        self.place = place

    def publish(self, built: Built, /) -> Published:
        """Replaces the file by an archive of this image or index alone."""
        naming.refuse_digest(self.place.digest, self.place)
        pairs = naming.in_layout(built, self.place.tag)
        named = tuple(layout.described(built, name=tag, full=full) for tag, full in pairs)
        return Published(
            reference=f"{naming.shown(built, self.place.tag)}@{built.digest}",
            place=str(OciArchivePlace(file=self.place.file, tag=pairs[0][0])),
            digest=built.digest,
            names=tuple(tag for tag, _ in pairs),
            sent=archive.write(Path(self.place.file), members.chunks(members.layout_members(built, named))),
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """Replaces the file by an archive of `content` alone, under the place's tag, else those of `references`."""
        naming.refuse_digest(self.place.digest, self.place)
        pairs = naming.tags_of(references, self.place.tag)
        named = tuple(layout.entry_of(content, tag, naming.in_full(name) if name else "") for tag, name in pairs)
        sent = archive.write(Path(self.place.file), members.chunks(members.content_members(content, named)))
        rows = tuple((name, str(OciArchivePlace(file=self.place.file, tag=tag))) for tag, name in pairs)
        return naming.put_rows(rows, content.digest, sent)

    def open(self) -> Stored:
        """The one image meant, as in a layout."""
        with archive.opened(self.place.file) as opened:
            return stored(opened, self.place)

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        with archive.opened(self.place.file) as opened:
            yield from opened.read(descriptor)


def stored(opened: archive.Archive, place: OciArchivePlace) -> Stored:
    """The image meant by `place` in an archive that holds a layout."""
    known = opened.entries()
    found = entries.matching(known, tag=place.tag, digest=place.digest)
    top = layout.only(found, entries.names(known), str(place))
    return documents.stored(opened.fetch, top.descriptor, reference=str(place))
