"""Layers and images as wherry makes and moves them. Touches nothing.

Metadata is eager, bytes are lazy (rule 6): a layer exists once its digests are known and its blob is a file.
"""

from __future__ import annotations

from collections.abc import Callable

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.oci.config import Config
from wherry.oci.descriptor import Annotations, Descriptor, Document
from wherry.oci.digest import Digest
from wherry.oci.platform import Platform
from wherry.oci.reference import Reference


class Layer(Value, frozen=True, kw_only=True):
    """One packed tar."""

    media_type: str
    digest: Digest
    size: int
    """Bytes to pull."""
    diff_id: Digest
    unpacked_size: int
    """Bytes of the tar; 0 for a base's layer that was never here."""
    file: str
    """Path of the blob, once `bring` was called where there is one."""
    role: str = ""
    """base, assets or app."""
    history: str = ""
    """`created_by` of the config's history entry."""
    reused: bool = False
    """True when the layer's blob was already there and nothing was packed."""
    origin: Reference | None = None
    """The registry repository that has it, from where others of that registry may mount it."""
    bring: Callable[[], None] | None = None
    """Makes `file` be there, every byte compared with both digests; None: it is there. A base's layer that its destination
    has already need never come here."""

    def here(self) -> str:
        """`file`, brought first if it must be."""
        if self.bring:
            self.bring()
        return self.file


class Image(Value, frozen=True, kw_only=True):
    """An image for one platform: documents in memory, layers as files."""

    platform: Platform
    manifest: Document
    config: Document
    layers: tuple[Layer, ...]

    @property
    def document(self) -> Document:
        """The top document."""
        return self.manifest

    @property
    def digest(self) -> Digest:
        return self.manifest.digest

    @property
    def size(self) -> int:
        """Bytes to pull, documents included."""
        return self.manifest.size + self.config.size + sum(layer.size for layer in self.layers)


class ImageIndex(Value, frozen=True, kw_only=True):
    """Images of one application for several platforms under one digest."""

    document: Document
    images: tuple[Image, ...]

    @property
    def digest(self) -> Digest:
        return self.document.digest


class Built(Value, frozen=True, kw_only=True):
    """What is handed to stores: the image or index with the name and version it is known by."""

    name: str
    """For instance podinfo; the local store's repository."""
    version: str
    """A legal tag: 6.9.1, never empty ("latest" when nothing is known)."""
    content: Image | ImageIndex
    references: tuple[str, ...] = ()
    """Names asked for by -t, expanded; empty: `name:version`."""

    @property
    def digest(self) -> Digest:
        return self.content.digest

    @property
    def images(self) -> tuple[Image, ...]:
        return self.content.images if isinstance(self.content, ImageIndex) else (self.content,)


class Published(Value, frozen=True, kw_only=True):
    """Where an image now lies."""

    reference: str
    """name:tag@sha256:... as the place knows it (without a digest where the place renames it)."""
    place: str
    """The place in the grammar of `-o`: oci:dir:tag, docker-daemon:name:tag, docker://..., store:name:tag."""
    digest: Digest
    names: tuple[str, ...] = ()
    """What a layout's index.json calls it, each name; empty elsewhere."""
    renamed: str = ""
    """The id Docker's own store gave it, if it could not keep the digest."""
    sent: int = 0
    """Bytes that had to be written or sent."""
    findings: tuple[Finding, ...] = ()


class StoredImage(Value, frozen=True, kw_only=True):
    """One platform's image as it was found: documents read and verified, layers only described."""

    platform: Platform
    manifest: Document
    config: Document
    settings: Config
    """`config`, decoded."""
    layers: tuple[Descriptor, ...]

    @property
    def digest(self) -> Digest:
        return self.manifest.digest

    @property
    def size(self) -> int:
        """Bytes to pull, documents included."""
        return self.manifest.size + self.config.size + sum(layer.size for layer in self.layers)


class Stored(Value, frozen=True, kw_only=True):
    """An image found in a place: its top document, and every document beneath it by digest; layers stay where they are."""

    reference: str
    descriptor: Descriptor
    documents: tuple[Document, ...]
    """The top document first, then manifests, then configs."""
    images: tuple[StoredImage, ...] = ()
    """In the index's order; attestations and other artifacts in an index are no images."""
    annotations: Annotations = {}
    """Of the top document."""
    findings: tuple[Finding, ...] = ()
    origin: Reference | None = None
    """The registry repository it was found in, from where other repositories may mount its blobs."""
