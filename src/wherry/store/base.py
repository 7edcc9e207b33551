"""A base image's bytes brought here. A Keeper, a platform and a folder for blobs in, a Base out; writes layers to that folder.

Each layer is hashed twice while it passes: packed against its digest, unpacked against the config's diff id.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from wherry.errors import CorruptError
from wherry.kit import decompress
from wherry.kit.files import atomic_writer, disk_errors
from wherry.kit.streams import CHUNK
from wherry.model.base import Base
from wherry.model.image import Layer, StoredImage
from wherry.oci import media
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.platform import Platform
from wherry.store import choose
from wherry.store.keeper import Keeper


def read_base(keeper: Keeper, name: str, platform: Platform, blobs: Path) -> Base:
    """The image there for `platform` as a base; its layers become files in `blobs`, at `sha256/<hex>`.

    UsageError [no-platform] with a list when it has none; CorruptError [diff-id] when a layer is not what the config says.
    """
    image = choose.stored_for(keeper.open(), platform)
    diff_ids = image.settings.rootfs.diff_ids
    layers = tuple(
        _layer(keeper, descriptor, diff_id, blobs) for descriptor, diff_id in zip(image.layers, diff_ids, strict=True)
    )
    return Base(
        name=name, platform=image.platform, digest=image.digest, layers=_named(image, layers), config=image.settings
    )


def _layer(keeper: Keeper, descriptor: Descriptor, diff_id: Digest, blobs: Path) -> Layer:
    """Copies a layer, or checks the copy that is there already; hashing it anew costs less than a wrong image (E04)."""
    file = blobs / descriptor.digest.path
    reused = file.is_file() and file.stat().st_size == descriptor.size and _hashed(file) == descriptor.digest
    if not reused:
        with disk_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(file, durable=True) as target:
            for chunk in keeper.blob(descriptor):
                target.write(chunk)
    hasher, size = hashlib.sha256(), 0
    with file.open("rb") as source:
        plain = decompress.opened(source, media.compression(descriptor.media_type), name=str(descriptor.digest))
        while chunk := plain.read(CHUNK):
            hasher.update(chunk)
            size += len(chunk)
    if f"sha256:{hasher.hexdigest()}" != diff_id:
        raise CorruptError(
            "diff-id",
            f"the layer {descriptor.digest} unpacks to sha256:{hasher.hexdigest()}, not {diff_id}",
            where=str(descriptor.digest),
            next="use another base, or make this one again",
        )
    return Layer(
        media_type=descriptor.media_type,
        digest=descriptor.digest,
        size=descriptor.size,
        diff_id=diff_id,
        unpacked_size=size,
        file=str(file),
        role="base",
        reused=reused,
    )


def _hashed(file: Path) -> str:
    with file.open("rb") as source:
        return f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}"


def _named(image: StoredImage, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers with what the config's history says of each."""
    history = [entry.created_by for entry in image.settings.history or () if not entry.empty_layer]
    if len(history) != len(layers):
        return layers
    from msgspec.structs import replace

    return tuple(replace(layer, history=said) for layer, said in zip(layers, history, strict=True))
