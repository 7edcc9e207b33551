"""From one descriptor to every manifest and config beneath it. A fetch function in, a Stored out; touches what fetch touches.

Bounded in size, number and depth (C09): a document is at most 4 MiB, as registries allow (distribution-spec, "Pushing
manifests").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wherry.errors import CorruptError, WherryError
from wherry.kit import parallel
from wherry.model.image import Stored, StoredImage
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.config import Config
from wherry.oci.descriptor import Descriptor, Document, decode
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.manifest import Index, Manifest
from wherry.oci.platform import Platform

LARGEST = 4 << 20
MOST = 512
DEEPEST = 4
_CONFIGS = (media.OCI_CONFIG, media.DOCKER_CONFIG)

Fetch = Callable[[Descriptor], bytes]
"""A small blob's bytes, read with the limit of its size."""


def stored(fetch: Fetch, top: Descriptor, *, reference: str, partial: bool = False, at_once: int = 1) -> Stored:
    """Everything beneath `top` that is not a layer; each document hashed against its descriptor. `partial`: an index may name
    images that are not there, as engines keep only what fits them. `at_once`: so many documents are fetched at a time."""
    walk = _Walk(fetch if at_once == 1 else _Ahead(fetch, at_once), partial=partial)
    walk.descend(top, platform=None, depth=1)
    parsed = manifests.parse(walk.parents[0], name=reference)
    return Stored(
        reference=reference,
        descriptor=top,
        documents=(*walk.parents, *walk.configs),
        images=tuple(walk.images),
        annotations=parsed.annotations,
    )


class _Ahead:
    """A fetch function for what is far away: beneath an index, manifests come several at a time, then their configs. Errors are
    kept until somebody asks for that document."""

    def __init__(self, fetch: Fetch, at_once: int) -> None:
        self.fetch, self.at_once = fetch, at_once
        self.here: dict[Digest, bytes | WherryError] = {}

    def __call__(self, descriptor: Descriptor) -> bytes:
        found = self.here.pop(descriptor.digest, None)
        if isinstance(found, WherryError):
            raise found
        data = self.fetch(descriptor) if found is None else found
        if found is None and descriptor.media_type in media.INDEXES:
            self.beneath(data)
        return data

    def beneath(self, index: bytes) -> None:
        """Fetches what this index names, and the configs of that."""
        try:
            rows = decode(index, Index, name="index").manifests
        except CorruptError:
            return
        known = [row for row in rows[:MOST] if row.media_type in media.MANIFESTS]
        self.bring(known)
        bodies = (self.here.get(row.digest) for row in known)
        self.bring([config for body in bodies if isinstance(body, bytes) for config in _config_of(body)])

    def bring(self, descriptors: list[Descriptor]) -> None:
        wanted = {one.digest: one for one in descriptors if 0 <= one.size <= LARGEST}
        self.here |= dict(zip(wanted, parallel.each(self.one, wanted.values(), at_once=self.at_once), strict=True))

    def one(self, descriptor: Descriptor) -> bytes | WherryError:
        try:
            return self.fetch(descriptor)
        except WherryError as error:
            return error


def _config_of(manifest: bytes) -> tuple[Descriptor, ...]:
    try:
        config = decode(manifest, Manifest, name="manifest").config
    except CorruptError:
        return ()
    return (config,) if config.media_type in _CONFIGS else ()


class _Walk:
    def __init__(self, fetch: Fetch, *, partial: bool) -> None:
        self.fetch, self.partial = fetch, partial
        self.parents: list[Document] = []
        self.configs: list[Document] = []
        self.images: list[StoredImage] = []
        self.seen: set[Digest] = set()

    def descend(self, descriptor: Descriptor, *, platform: Platform | None, depth: int) -> None:
        name = str(descriptor.digest)
        if depth > DEEPEST or len(self.seen) >= MOST:
            raise CorruptError(
                "too-deep", f"{name} is nested too deep, or beneath an index of too many images", where=name
            )
        document = self.document(descriptor)
        parsed = manifests.parse(document, name=name)
        self.parents.append(document)
        match parsed:
            case Index():
                for child in parsed.manifests:
                    if child.digest not in self.seen and child.media_type in (*media.INDEXES, *media.MANIFESTS):
                        self.child(child, depth + 1)
            case Manifest():
                self.image(document, parsed, platform)

    def child(self, descriptor: Descriptor, depth: int) -> None:
        try:
            self.descend(descriptor, platform=descriptor.platform, depth=depth)
        except CorruptError as error:
            if not self.partial or error.name != "missing-blob":
                raise

    def image(self, document: Document, parsed: Manifest, platform: Platform | None) -> None:
        artifact = parsed.config.media_type not in _CONFIGS or (platform is not None and platform.os == "unknown")
        if artifact:
            return
        config = self.document(parsed.config)
        if config not in self.configs:
            self.configs.append(config)
        settings = decode(config.data, Config, name=str(config.digest))
        if len(settings.rootfs.diff_ids) != len(parsed.layers):
            raise CorruptError(
                "layer-count",
                f"the config counts {len(settings.rootfs.diff_ids)} layers, the manifest {len(parsed.layers)}",
                where=str(document.digest),
            )
        own = Platform(architecture=settings.architecture, os=settings.os, variant=settings.variant)
        self.images.append(
            StoredImage(
                platform=platform or own, manifest=document, config=config, settings=settings, layers=parsed.layers
            )
        )

    def document(self, descriptor: Descriptor) -> Document:
        self.seen.add(descriptor.digest)
        return fetch_document(self.fetch, descriptor)


def fetch_document(fetch: Fetch, descriptor: Descriptor) -> Document:
    """One small blob, as large as promised and of the digest promised; CorruptError [too-large], [digest-mismatch]."""
    name = str(descriptor.digest)
    if descriptor.size > LARGEST or descriptor.size < 0:
        raise CorruptError(
            "too-large", f"{name} is said to be {descriptor.size} bytes; {LARGEST} are allowed", where=name
        )
    data = fetch(descriptor)
    if len(data) != descriptor.size or of_bytes(data) != descriptor.digest:
        raise CorruptError(
            "digest-mismatch",
            f"{name} should be {descriptor.size} bytes; what came is {len(data)} bytes of {of_bytes(data)}",
            where=name,
        )
    return Document(media_type=descriptor.media_type, data=data)


def joined(chunks: Iterator[bytes]) -> bytes:
    """All chunks of a small verified stream."""
    return b"".join(chunks)
