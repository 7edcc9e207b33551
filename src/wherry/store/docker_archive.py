"""`docker-archive:` files: what `docker save` writes and `docker load` reads. An image in, one file out and back.

Written so that each reader keeps most: the config's bytes are unchanged, so the image id is its digest; a layout
lies beside, so that engines that store manifests keep the digest too. Archives of other writers may have no
manifest; then one is made, and said so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from wherry.errors import CorruptError, UsageError
from wherry.kit.streams import CHUNK, verified_chunks
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.image import Built, Image, Published, Stored
from wherry.oci import media
from wherry.oci.config import Config
from wherry.oci.descriptor import Descriptor, Document, decode, describe, encode
from wherry.oci.digest import Digest
from wherry.oci.manifest import Manifest
from wherry.oci.reference import Reference
from wherry.store import archive, documents, layout, members, naming, stage
from wherry.store.archive import Archive
from wherry.store.content import Content
from wherry.store.place import DockerArchivePlace

LARGEST = 8 << 20


class DockerArchive:
    """The keeper of `docker-archive:FILE[:REF]`."""

    def __init__(self, place: DockerArchivePlace, blobs: str = "") -> None:
        self.place = place
        self.blobs = blobs

    def publish(self, built: Built, /) -> Published:
        """Replaces the file; UsageError [one-platform] for an index, since the format holds one image for each name."""
        if len(built.images) > 1:
            listed = ", ".join(str(image.platform) for image in built.images)
            raise UsageError(
                "one-platform",
                f"a docker-archive holds one platform; this image has {listed}",
                where=str(self.place),
                next=(f"add --platform {built.images[0].platform}", f"write oci-archive:{self.place.file}"),
            )
        names = naming.names_of(built, self.place.reference)
        sent = archive.write(Path(self.place.file), members.chunks(save(built.images[0], built, names)))
        return Published(
            reference=f"{names[0]}@{built.images[0].digest}",
            place=f"docker-archive:{self.place.file}:{names[0]}",
            digest=built.images[0].digest,
            sent=sent,
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """As `publish`, with layers that come from elsewhere."""
        measured = stage.stored_of(content).images
        platform = measured[0].platform if len(measured) == 1 else None
        return (self.publish(stage.built(content, references, self.blobs, measured=platform)),)

    def open(self) -> Stored:
        """The one image meant, with its own manifest where the archive has one."""
        with archive.opened(self.place.file) as opened:
            return _Saves(opened, self.place).stored()

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        with archive.opened(self.place.file) as opened:
            if opened.is_layout:
                yield from opened.read(descriptor)
            else:
                yield from _Saves(opened, self.place).blob(descriptor)


def save(image: Image, built: Built, names: tuple[str, ...]) -> members.Members:
    """The members of a docker archive. Docker 20.10 reads no zstd, so such layers go in unpacked, with no layout
    beside them."""
    if any(media.compression(layer.media_type) == "zstd" for layer in image.layers):
        return members.unpacked_members(image, names)
    return with_layout(image, built, names)


def with_layout(image: Image, built: Built, names: tuple[str, ...]) -> members.Members:
    """The same with the layers as they are, and a layout beside."""
    single = Built(name=built.name, version=built.version, content=image)
    named = tuple(layout.described(single, name=name, full=naming.in_full(name)) for name in names)
    return members.saved_members(image, names, named)


class _Row(Value, frozen=True, kw_only=True, rename="pascal"):
    config: str
    repo_tags: tuple[str, ...] | None = None
    layers: tuple[str, ...]


class _Saves:
    """An archive of `docker save`, by any version of Docker and by those who imitate it."""

    def __init__(self, opened: Archive, place: DockerArchivePlace) -> None:
        self.opened, self.place = opened, place

    def stored(self) -> Stored:
        rows = self._rows()
        row = self._chosen(rows)
        config = self.opened.small(row.config, documents.LARGEST)
        if self.opened.is_layout and (found := self._native(config)):
            return found
        manifest = self._made(row, config)
        known = {one.digest: one.data for one in manifest}
        top = describe(manifest[0])
        stored = documents.stored(lambda descriptor: known[descriptor.digest], top, reference=str(self.place))
        note = Finding(
            name="made-manifest",
            message="the archive has no manifest; this digest is that of one wherry made from it",
            severity="note",
            subject=self.place.file,
        )
        return Stored(
            reference=stored.reference,
            descriptor=top,
            documents=stored.documents,
            images=stored.images,
            annotations=stored.annotations,
            findings=(note,),
        )

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        row = self._chosen(self._rows())
        config = self.opened.small(row.config, documents.LARGEST)
        manifest, _ = self._made(row, config)
        layers = decode(manifest.data, Manifest, name=self.place.file).layers
        for path, layer in zip(row.layers, layers, strict=True):
            if layer.digest == descriptor.digest:
                name = f"{self.place.file}:{path}"
                section = self.opened.section(path)
                return verified_chunks(section, sha256=layer.digest.hex, size=descriptor.size, name=name)
        raise CorruptError("missing-blob", f"{descriptor.digest} is not in {self.place.file}", where=self.place.file)

    def _rows(self) -> tuple[_Row, ...]:
        if "manifest.json" not in self.opened.members:
            raise CorruptError("not-an-archive", f"{self.place.file} holds no manifest.json", where=self.place.file)
        data = self.opened.small("manifest.json", LARGEST)
        return decode(data, tuple[_Row, ...], name=f"{self.place.file}:manifest.json")

    def _chosen(self, rows: tuple[_Row, ...]) -> _Row:
        wanted = {str(self.place.reference or ""), f"{self.place.reference}:latest"}
        found = [row for row in rows if self.place.reference is None or wanted & set(row.repo_tags or ())]
        if len(found) == 1:
            return found[0]
        listed = ", ".join(tag for row in rows for tag in row.repo_tags or (row.config,)) or "nothing"
        if found:
            raise UsageError(
                "which-image", f"{self.place} holds several images", why=f"it holds {listed}", next="name one"
            )
        raise UsageError("no-such-image", f"there is no such image at {self.place}", why=f"it holds {listed}")

    def _native(self, config: bytes) -> Stored | None:
        """The image with this very config in the layout beside manifest.json, if it is whole."""
        for entry in self.opened.entries().entries:
            try:
                found = documents.stored(self.opened.fetch, entry.descriptor, reference=str(self.place))
            except CorruptError:
                continue
            if any(image.config.data == config for image in found.images):
                return found
        return None

    def _made(self, row: _Row, config: bytes) -> tuple[Document, Document]:
        """A manifest of Docker's schema 2 for an archive without one, and the config."""
        settings = decode(config, Config, name=f"{self.place.file}:{row.config}")
        if len(settings.rootfs.diff_ids) != len(row.layers):
            raise CorruptError(
                "layer-count",
                f"{self.place.file} and its config count different numbers of layers",
                where=self.place.file,
            )
        document = Document(media_type=media.DOCKER_CONFIG, data=config)
        pairs = zip(row.layers, settings.rootfs.diff_ids, strict=True)
        body = Manifest(
            schema_version=2,
            media_type=media.DOCKER_MANIFEST,
            config=describe(document),
            layers=tuple(self._layer(path, diff_id) for path, diff_id in pairs),
        )
        return Document(media_type=body.media_type, data=encode(body)), document

    def _layer(self, path: str, diff_id: Digest) -> Descriptor:
        """An unpacked layer's digest is its diff id, checked when it is read; of a packed one the bytes must be hashed now."""
        section = self.opened.section(path)
        size = section.size
        start = section.read(4)
        if start[:2] != b"\x1f\x8b" and start != b"\x28\xb5\x2f\xfd":
            return Descriptor(media_type=media.DOCKER_LAYER, digest=diff_id, size=size)
        hasher = hashlib.sha256(start)
        while chunk := section.read(CHUNK):
            hasher.update(chunk)
        kind = media.DOCKER_LAYER_GZIP if start[:2] == b"\x1f\x8b" else media.OCI_LAYER_ZSTD
        return Descriptor(media_type=kind, digest=Digest(f"sha256:{hasher.hexdigest()}"), size=size)
