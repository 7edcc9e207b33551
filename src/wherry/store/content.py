"""What can be put somewhere. An image just made, or one found in any place, in; its documents and a way to open each blob out.

Documents are raw bytes and stay as they are, so no digest changes on the way; blobs are opened when they are sent, as often
as it takes, and need never be files (rule 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from msgspec.structs import replace

from wherry.errors import CorruptError
from wherry.kit.value import Value
from wherry.model.image import Built, Image, Stored
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, describe
from wherry.oci.digest import Digest
from wherry.oci.manifest import Index, Manifest
from wherry.oci.reference import Reference
from wherry.store import layers

DOCUMENTS = (*media.INDEXES, *media.MANIFESTS)
#: Layers that may not be handed on (image-spec layer.md, "Non-Distributable Layers"); Docker's word for them is foreign.
_KEPT_BACK = (".nondistributable.", ".foreign.")

Open = Callable[[Descriptor], Iterator[bytes]]
"""A blob's bytes from its start, again at each call; CorruptError at the end unless they match size and digest."""


class OfBlobs(Protocol):
    """Whatever has blobs."""

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        """As `Open`."""
        ...


@runtime_checkable
class OfFiles(Protocol):
    """A keeper whose blobs are files of this machine."""

    def file(self, descriptor: Descriptor, /) -> str:
        """Where the blob is, if it is there."""
        ...


class Blob(Value, frozen=True, kw_only=True):
    """A blob that is no document held in memory: a layer, or an artifact's part."""

    descriptor: Descriptor
    file: str = ""
    """Path of the blob where it is a file of this machine; not looked at yet."""
    origins: tuple[Reference, ...] = ()
    """Registry repositories that have it, from which a push may mount it instead of sending it."""

    @property
    def digest(self) -> Digest:
        return self.descriptor.digest

    @property
    def size(self) -> int:
        return self.descriptor.size


def kept_back(layer: Descriptor) -> bool:
    """Whether it may not be handed on."""
    return any(word in layer.media_type for word in _KEPT_BACK)


class Content(Value, frozen=True, kw_only=True):
    """An image, an index with all beneath it, or an artifact."""

    descriptor: Descriptor
    """Of the top document."""
    manifests: tuple[Document, ...]
    """Each once, children before what names them, the top document last: the order in which they may be put."""
    configs: tuple[Document, ...]
    """Each once; an artifact's config may be among the blobs instead."""
    blobs: tuple[Blob, ...]
    """Each once."""
    open: Open
    origins: tuple[Reference, ...] = ()
    """Registry repositories that have all of it."""

    @property
    def digest(self) -> Digest:
        return self.descriptor.digest

    @property
    def is_partial(self) -> bool:
        """Whether layers that may not be handed on are missing in it."""
        parsed = (manifests.parse(one, name=str(one.digest)) for one in self.manifests)
        return any(kept_back(layer) for one in parsed if isinstance(one, Manifest) for layer in one.layers)

    @property
    def top(self) -> Document:
        return self.manifests[-1]

    @property
    def size(self) -> int:
        """Bytes of it all."""
        documents = (*self.manifests, *self.configs)
        return sum(one.size for one in documents) + sum(one.size for one in self.blobs)


def content_of(built: Built) -> Content:
    """What was just made. A base's layer that is not here is brought when it is opened (`Layer.bring`), not before."""
    known = {layer.digest: layer for image in built.images for layer in image.layers}
    images = [document for image in built.images for document in (image.manifest, image.config)]
    top = built.content.manifest if isinstance(built.content, Image) else built.content.document

    def blob(descriptor: Descriptor) -> Blob:
        layer = known[descriptor.digest]
        origins = (layer.origin,) if layer.origin else ()
        return Blob(descriptor=descriptor, file="" if layer.bring else layer.file, origins=origins)

    return _content((top, *images), describe(top), lambda descriptor: layers.chunks(known[descriptor.digest]), blob)


def content_from(keeper: OfBlobs, stored: Stored) -> Content:
    """What lies in `keeper`'s place; its blobs stream from there, each time anew."""
    origins = (stored.origin,) if stored.origin else ()
    files = keeper.file if isinstance(keeper, OfFiles) else None

    def blob(descriptor: Descriptor) -> Blob:
        return Blob(descriptor=descriptor, file=files(descriptor) if files else "", origins=origins)

    return replace(_content(stored.documents, stored.descriptor, keeper.blob, blob), origins=origins)


def _content(
    documents: Iterable[Document], top: Descriptor, opened: Open, blob: Callable[[Descriptor], Blob]
) -> Content:
    by_digest = {document.digest: document for document in documents}
    ordered: dict[Digest, Document] = {}
    configs: dict[Digest, Document] = {}
    blobs: dict[Digest, Blob] = {}

    def visit(document: Document) -> None:
        parsed = manifests.parse(document, name=str(document.digest))
        match parsed:
            case Index():
                for child in parsed.manifests:
                    if child.media_type in DOCUMENTS and child.digest not in ordered:
                        visit(_child(by_digest, child.digest))
            case Manifest():
                for part in (parsed.config, *parsed.layers):
                    if part.digest in by_digest:
                        configs[part.digest] = by_digest[part.digest]
                    elif not kept_back(part):
                        blobs.setdefault(part.digest, blob(part))
        ordered[document.digest] = document

    visit(by_digest[top.digest])
    return Content(
        descriptor=top,
        manifests=tuple(ordered.values()),
        configs=tuple(configs.values()),
        blobs=tuple(blobs.values()),
        open=opened,
    )


def _child(documents: dict[Digest, Document], digest: Digest) -> Document:
    if digest not in documents:
        raise CorruptError(
            "missing-blob",
            f"{digest} is named by the index but not there",
            where=str(digest),
            why="engines keep only the images of an index that fit them",
            next="name one platform with --platform",
        )
    return documents[digest]
