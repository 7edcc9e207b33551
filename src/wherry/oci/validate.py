"""Whether an image is whole and true to itself. A descriptor and a way to open blobs in, problems out; reads the blobs.

For one manifest or for an index and all beneath it: sizes, digests, media types, diff ids against the unpacked layers, config
against manifest, platforms against configs, each layer a strict archive with no path twice.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from wherry.errors import WherryError
from wherry.kit.streams import read_limited, verified_chunks
from wherry.oci import media
from wherry.oci.config import Config
from wherry.oci.descriptor import Descriptor, Document, decode
from wherry.oci.layer import Packed, read_stream
from wherry.oci.manifest import Index, Manifest, parse
from wherry.oci.platform import Platform

Open = Callable[[Descriptor], BinaryIO]
"""Opens a blob for reading; LookupError or OSError when it is not there."""

DOCUMENT: int = 4 << 20
"""Most bytes of a manifest or config: what registries accept."""


def problems(top: Descriptor, open_blob: Open) -> tuple[str, ...]:
    """What is wrong, one sentence each, found through the whole image or index that `top` describes; nothing when all is well."""
    found: list[str] = []
    try:
        document = _document(top, open_blob)
        content = parse(document, name=f"manifest {top.digest}")
    except (WherryError, LookupError, OSError) as error:
        return (str(error),)
    match content:
        case Index():
            if not content.manifests:
                found.append(f"index {top.digest} is empty")
            for descriptor in content.manifests:
                found.extend(problems(descriptor, open_blob))
        case Manifest():
            found.extend(_image(top, content, open_blob))
    return tuple(found)


def _document(descriptor: Descriptor, open_blob: Open) -> Document:
    name = f"{descriptor.media_type} {descriptor.digest}"
    with open_blob(descriptor) as blob:
        data = read_limited(blob, limit=DOCUMENT, name=name)
    list(verified_chunks(io.BytesIO(data), sha256=descriptor.digest.hex, size=descriptor.size, name=name))
    return Document(media_type=descriptor.media_type, data=data)


def _image(top: Descriptor, manifest: Manifest, open_blob: Open) -> list[str]:
    if manifest.artifact_type:
        return []
    try:
        config = decode(_document(manifest.config, open_blob).data, Config, name=f"config {manifest.config.digest}")
    except (WherryError, LookupError, OSError) as error:
        return [str(error)]
    found = _agreement(top, manifest, config)
    for layer, diff_id in zip(manifest.layers, config.rootfs.diff_ids, strict=False):
        packed = Packed(
            file=layer.digest, media_type=layer.media_type, digest=layer.digest, diff_id=diff_id, size=layer.size
        )
        try:
            with open_blob(layer) as blob:
                names = [
                    member.path for member, _ in read_stream(packed, blob) if member.kind not in ("whiteout", "opaque")
                ]
            if len(names) != len(set(names)):
                found.append(f"layer {layer.digest} holds a path twice")
        except (WherryError, LookupError, OSError) as error:
            found.append(str(error))
    return found


def _agreement(top: Descriptor, manifest: Manifest, config: Config) -> list[str]:
    found = []
    docker = top.media_type == media.DOCKER_MANIFEST
    wanted = media.DOCKER_CONFIG if docker else media.OCI_CONFIG
    if manifest.config.media_type != wanted:
        found.append(f"the config of {top.digest} is {manifest.config.media_type}, not {wanted}")
    known = [kind for (form, _), kind in media.LAYER.items() if form == ("docker" if docker else "oci")]
    found += [
        f"layer {layer.digest} is {layer.media_type}" for layer in manifest.layers if layer.media_type not in known
    ]
    if len(manifest.layers) != len(config.rootfs.diff_ids):
        found.append(f"{top.digest} has {len(manifest.layers)} layers and {len(config.rootfs.diff_ids)} diff ids")
    history = [entry for entry in config.history or () if not entry.empty_layer]
    if config.history is not None and len(history) != len(manifest.layers):
        found.append(f"{top.digest} has {len(manifest.layers)} layers and {len(history)} lines of history for them")
    if config.rootfs.type != "layers":
        found.append(f"the root file system of {top.digest} is of the type {config.rootfs.type!r}")
    own = Platform(
        os=config.os,
        architecture=config.architecture,
        variant=config.variant,
        os_version=config.os_version,
        os_features=config.os_features,
    )
    if top.platform is not None and top.platform != own:
        found.append(f"{top.digest} is listed for {top.platform}, but is for {own}")
    return found
