"""Published images that stand on wherry's own bases, `static` and `scratch`. Images in, their old base and a new one out; reads
the old layer, packs the new one.

Such a base has no name that could be asked, but wherry makes it: an image's history says which it was, and the layer itself
whether that is true. A new one has today's certificates and time zones, and the authorities that the user had put there.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from wherry.assemble.below import bundle
from wherry.assemble.pack import Packer
from wherry.assemble.rebase import Basis
from wherry.assemble.static import HISTORY, static_entries, static_layer
from wherry.errors import RefusedError
from wherry.model.base import Base
from wherry.model.image import Layer, Stored, StoredImage
from wherry.model.plan import Packing
from wherry.oci import media
from wherry.oci.config import History, RootFS
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.layer import Packed, read

NAMES: Final = ("static", "scratch")
#: How wherry's other layers begin in the history: with one of these lowest, there was nothing beneath.
_OURS: Final = ("wherry app: ", "wherry assets: ")
_ZONES: Final = "usr/share/zoneinfo/"
_FILES: Final = re.compile(r", (\d{1,4}) CA of yours$")
_BLOCK: Final = rb"-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----\n"
#: Every authority of the well-known bundle has comments above it, a user's own have none.
_OWN: Final = re.compile(rb"-----END CERTIFICATE-----\n((?:" + _BLOCK + rb")+)\Z")


def stands_on(stored: Stored) -> str:
    """`static` or `scratch` where the history of every image says that wherry built it on that; else empty."""
    said = {_said(image) for image in stored.images}
    return said.pop() if len(said) == 1 else ""


def beneath(stored: Stored, name: str) -> Basis:
    """The built-in base beneath each image: its layers there, and no settings. Its documents are the image's own, as it has
    none."""
    count = 1 if name == "static" else 0
    images = tuple(_with_layers(image, image.layers[:count], _lines(image)[:count]) for image in stored.images)
    return Basis(name=name, digest=None, images=images)


def lowest(image: StoredImage) -> tuple[Descriptor, Digest]:
    """The layer that should be `static`, and its diff id; RefusedError [not-on-base] for an image without layers."""
    if not image.layers:
        raise RefusedError("not-on-base", "an image without layers does not stand on static", where=str(image.digest))
    return image.layers[0], image.settings.rootfs.diff_ids[0]


def own_certificates(layer: Layer, image: StoredImage) -> tuple[bytes, int]:
    """What the user had added to the authorities in an old `static` layer, and from how many files. RefusedError [not-on-base]
    when the layer is not what wherry makes, so that nothing else in it gets lost."""
    known = {entry.path for entry in static_entries()}
    packed = Packed(file=layer.here(), media_type=layer.media_type, digest=layer.digest, diff_id=layer.diff_id)
    for member, _ in read(packed):
        if member.path not in known and not member.path.startswith(_ZONES):
            raise _foreign(image, f"it holds /{member.path}")
    told = _FILES.search(next((line.created_by for line in _lines(image)), ""))
    if told is None:
        return b"", 0
    _, content = bundle(Base(name="static", platform=image.platform, layers=(layer,)), {})
    found = _OWN.search(content)
    if found is None:
        raise _foreign(image, "the certificates that you added cannot be told from the others")
    return found[1], int(told[1])


def renewed(stored: Stored, name: str, own: tuple[bytes, int], packer: Packer) -> tuple[Basis, tuple[Layer, ...]]:
    """The base `name` as wherry makes it today, beneath each image, packed as the images' own layers are; and its layers."""
    if name == "scratch":
        return Basis(name=name, digest=None, images=beneath(stored, name).images), ()
    layer, _ = static_layer(*own, _packing(stored), packer)
    part = Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)
    images = tuple(
        _with_layers(
            image,
            (part,),
            (History(created=image.settings.created, created_by=layer.history),),
            RootFS(diff_ids=(layer.diff_id,)),
        )
        for image in stored.images
    )
    return Basis(name=name, digest=None, images=images), (layer,)


def _said(image: StoredImage) -> str:
    lines = _lines(image)
    first = lines[0].created_by if lines else ""
    return "static" if first.startswith(HISTORY) else "scratch" if first.startswith(_OURS) else ""


def _lines(image: StoredImage) -> tuple[History, ...]:
    """The history of the layers, lowest first; empty where it does not count them."""
    lines = tuple(line for line in image.settings.history or () if not line.empty_layer)
    return lines if len(lines) == len(image.layers) else ()


def _with_layers(
    image: StoredImage, layers: tuple[Descriptor, ...], history: tuple[History, ...], rootfs: RootFS | None = None
) -> StoredImage:
    below = rootfs or RootFS(diff_ids=image.settings.rootfs.diff_ids[: len(layers)])
    return replace(
        image, layers=layers, settings=replace(image.settings, config=None, rootfs=below, history=history or None)
    )


def _packing(stored: Stored) -> Packing:
    """As the topmost layer of the first image is packed, by the compressor's usual level: which it was cannot be seen."""
    image = stored.images[0]
    docker = image.manifest.media_type == media.DOCKER_MANIFEST
    compression = media.compression(image.layers[-1].media_type) if image.layers else "gzip"
    return Packing(format="docker" if docker else "oci", compression=compression)


def _foreign(image: StoredImage, why: str) -> RefusedError:
    return RefusedError(
        "not-on-base",
        f"the lowest layer of the image for {image.platform} is not wherry's static base",
        where=str(image.layers[0].digest),
        why=why,
        next="build the image anew: wherry build",
    )
