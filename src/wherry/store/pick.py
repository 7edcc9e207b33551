"""One platform's image out of an index, without reading the others. A source of documents and a platform in, that image out;
touches what the source touches.

Platforms match as containerd matches them: the best variant that runs there. What an index does not say (a child without
a platform, an index inside an index) is read; attestations are passed over. Bounded as in `documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wherry.errors import CorruptError
from wherry.kit.value import Value
from wherry.model.image import StoredImage
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.config import Config
from wherry.oci.descriptor import Descriptor, Document, decode
from wherry.oci.manifest import Manifest
from wherry.oci.platform import Platform, best
from wherry.store import choose
from wherry.store.documents import DEEPEST, MOST, Fetch, fetch_document

_DOCUMENTS = (*media.INDEXES, *media.MANIFESTS)
_CONFIGS = (media.OCI_CONFIG, media.DOCKER_CONFIG)


class Candidate(Value, frozen=True, kw_only=True):
    """One image of an index, and what it is for."""

    platform: Platform
    descriptor: Descriptor


class Top(Value, frozen=True, kw_only=True):
    """What a name led to, and how to read what lies beneath."""

    descriptor: Descriptor
    document: Document
    fetch: Fetch
    blob: Callable[[Descriptor], Iterator[bytes]]
    """A layer's bytes, verified against digest and size."""


def candidates(top: Top) -> tuple[Candidate, ...]:
    """Every image beneath `top`, in order, with its platform. CorruptError [too-deep], [manifest-kind], [json] ..."""
    return tuple(_walk(top, top.descriptor, top.document, depth=1))


def pick(top: Top, platform: Platform, *, name: str) -> StoredImage:
    """The image that runs on `platform`, its manifest and config read and verified. UsageError [no-platform] lists what there is;
    CorruptError [layer-count], [digest-mismatch] ..."""
    there = candidates(top)
    found = best(platform, tuple(one.platform for one in there))
    for one in there:
        if one.platform == found:
            return read(top, one)
    raise choose.missing(name, platform, tuple(one.platform for one in there))


def read(top: Top, chosen: Candidate) -> StoredImage:
    """The documents of one candidate."""
    document = top.document if chosen.descriptor.digest == top.descriptor.digest else _document(top, chosen.descriptor)
    parsed = manifests.parse(document, name=str(document.digest))
    if not isinstance(parsed, Manifest):
        raise CorruptError("manifest-kind", f"{document.digest} is an index where an image should be")
    config = _document(top, parsed.config)
    settings = decode(config.data, Config, name=str(config.digest))
    if len(settings.rootfs.diff_ids) != len(parsed.layers):
        raise CorruptError(
            "layer-count",
            f"the config counts {len(settings.rootfs.diff_ids)} layers, the manifest {len(parsed.layers)}",
            where=str(document.digest),
        )
    return StoredImage(
        platform=chosen.platform, manifest=document, config=config, settings=settings, layers=parsed.layers
    )


def _walk(top: Top, descriptor: Descriptor, document: Document, *, depth: int) -> Iterator[Candidate]:
    name = str(descriptor.digest)
    parsed = manifests.parse(document, name=name)
    if isinstance(parsed, Manifest):
        if parsed.config.media_type in _CONFIGS:
            yield Candidate(platform=descriptor.platform or _of_config(top, parsed), descriptor=descriptor)
        return
    children = tuple(one for one in parsed.manifests if one.media_type in _DOCUMENTS and not _is_artifact(one))
    if depth == DEEPEST or len(children) > MOST:
        raise CorruptError("too-deep", f"{name} is nested too deep, or an index of too many images", where=name)
    for child in {one.digest: one for one in children}.values():
        if child.platform and child.media_type in media.MANIFESTS:
            yield Candidate(platform=child.platform, descriptor=child)
        else:
            yield from _walk(top, child, _document(top, child), depth=depth + 1)


def _is_artifact(descriptor: Descriptor) -> bool:
    """BuildKit puts attestations into the index as images for an unknown system."""
    return descriptor.platform is not None and "unknown" in (descriptor.platform.os, descriptor.platform.architecture)


def _of_config(top: Top, parsed: Manifest) -> Platform:
    config = decode(_document(top, parsed.config).data, Config, name=str(parsed.config.digest))
    return Platform(architecture=config.architecture, os=config.os, variant=config.variant)


def _document(top: Top, descriptor: Descriptor) -> Document:
    return fetch_document(top.fetch, descriptor)
