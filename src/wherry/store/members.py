"""Tars that hold an image, for archive files and for engines. Images in, members and bytes out; reads layers.

The bytes depend on the image and its names alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import msgspec

from wherry.kit.snapshot import Snapshot
from wherry.kit.value import Value
from wherry.model.image import Built, Image, Layer
from wherry.oci import tar
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.tar import Entry
from wherry.store import entries, layers
from wherry.store.content import Content, Open
from wherry.store.layout import MARKER, MARKER_BYTES


class Unpacked(Value, frozen=True, kw_only=True):
    """A layer whose tar itself is the member."""

    layer: Layer


class Streamed(Value, frozen=True, kw_only=True):
    """A blob that comes from another place when its turn is."""

    descriptor: Descriptor
    open: Open


Item = bytes | Layer | Unpacked | Streamed
#: A member's path, and its bytes or where they come from.
Members = dict[str, Item]


class _Saved(Value, frozen=True, kw_only=True, rename="pascal"):
    """One element of manifest.json (moby, image/tarexport)."""

    config: str
    repo_tags: tuple[str, ...]
    layers: tuple[str, ...]


def layout_members(built: Built, named: tuple[Descriptor, ...]) -> Members:
    """A whole OCI layout; `named` are the entries of its index.json."""
    found: Members = {}
    for image in built.images:
        found |= _image_members(image)
    if not isinstance(built.content, Image):
        found[_path(built.digest)] = built.content.document.data
    return found | _index_members(named)


def content_members(content: Content, named: tuple[Descriptor, ...]) -> Members:
    """The same for what lies elsewhere."""
    found: Members = {
        _path(blob.digest): Streamed(descriptor=blob.descriptor, open=content.open) for blob in content.blobs
    }
    found |= {_path(one.digest): one.data for one in (*content.manifests, *content.configs)}
    return found | _index_members(named)


def one_of(built: Built, image: Image, named: tuple[Descriptor, ...]) -> Members:
    """A layout with the whole index but only one of its images: engines take what fits them, and keep the index's digest."""
    found = _image_members(image)
    if not isinstance(built.content, Image):
        found[_path(built.digest)] = built.content.document.data
    return found | _index_members(named)


def saved_members(image: Image, names: tuple[str, ...], named: tuple[Descriptor, ...]) -> Members:
    """What `docker save` writes since Docker 25: an OCI layout with a manifest.json beside it, so that engines with a store of
    manifests keep the digest, and older ones find what they know."""
    saved = _Saved(
        config=_path(image.config.digest),
        repo_tags=names,
        layers=tuple(_path(layer.digest) for layer in image.layers),
    )
    return _image_members(image) | _index_members(named) | {"manifest.json": msgspec.json.encode([saved])}


def unpacked_members(image: Image, names: tuple[str, ...]) -> Members:
    """What `docker save` wrote before Docker 25: layers as plain tars, named by their diff ids."""
    tars: Members = {_path(layer.diff_id): Unpacked(layer=layer) for layer in image.layers}
    saved = _Saved(
        config=_path(image.config.digest), repo_tags=names, layers=tuple(_path(layer.diff_id) for layer in image.layers)
    )
    return tars | {_path(image.config.digest): image.config.data, "manifest.json": msgspec.json.encode([saved])}


def size(members: Members) -> int:
    """Length of the tar in bytes."""
    heads = sum(len(head) for head in map(_folder, _folders(members)))
    for path, item in members.items():
        length = _length(item)
        heads += len(_head(path, length)) + length + -length % tar.BLOCK
    return heads + 2 * tar.BLOCK


def chunks(members: Members) -> Iterator[bytes]:
    """The tar: folders first, then members by path. CorruptError when a layer is not what it should be, before its
    last byte."""
    yield from map(_folder, _folders(members))
    for path, item in sorted(members.items(), key=lambda pair: pair[0]):
        length = _length(item)
        yield _head(path, length)
        yield from _content(item)
        yield bytes(-length % tar.BLOCK)
    yield bytes(2 * tar.BLOCK)


def _content(item: Item) -> Iterable[bytes]:
    match item:
        case Layer():
            return layers.chunks(item)
        case Unpacked():
            return layers.unpacked(item.layer)
        case Streamed():
            return item.open(item.descriptor)
        case _:
            return (item,)


def _image_members(image: Image) -> Members:
    blobs: Members = {_path(layer.digest): layer for layer in image.layers}
    return blobs | {_path(one.digest): one.data for one in (image.manifest, image.config)}


def _index_members(named: tuple[Descriptor, ...]) -> Members:
    index = entries.EMPTY
    for descriptor in named:
        index = entries.put(index, descriptor)
    return {MARKER: MARKER_BYTES, "index.json": entries.encode(index)}


def _path(digest: Digest) -> str:
    return f"blobs/{digest.path}"


def _length(item: Item) -> int:
    match item:
        case Layer():
            return item.size
        case Unpacked():
            return item.layer.unpacked_size
        case Streamed():
            return item.descriptor.size
        case _:
            return len(item)


def _folders(members: Members) -> tuple[str, ...]:
    found = {str(parent) for path in members for parent in PurePosixPath(path).parents}
    return tuple(sorted(found - {"."}))


def _folder(path: str) -> bytes:
    return tar.headers(Entry(path=path, kind="directory", mode=0o755), 0)


def _head(path: str, length: int) -> bytes:
    """A file's header; the bytes follow from elsewhere, so only their number is known here."""
    promised = Snapshot(path="", device=0, inode=0, size=length, mtime_ns=0, ctime_ns=0)
    return tar.headers(Entry(path=path, mode=0o644, content=promised), 0)
