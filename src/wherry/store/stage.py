"""Content for places that want files: archives of docker save, and engines. A Content and a folder in, a Built out; writes layers
to that folder when somebody needs their bytes.

The folder outlives the run, so what a killed run brought is not brought again; it is hashed before it is believed (E01, E04).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from wherry.errors import CorruptError, UsageError
from wherry.kit import decompress
from wherry.kit.files import atomic_writer, disk_errors
from wherry.kit.streams import CHUNK, Readable
from wherry.model.image import Built, Image, ImageIndex, Layer, Stored, StoredImage
from wherry.oci import media
from wherry.oci.descriptor import Descriptor
from wherry.oci.platform import Platform
from wherry.oci.reference import Reference
from wherry.store import choose, documents
from wherry.store.content import Content, Open

NAMELESS = "image"


def built(
    content: Content, references: tuple[Reference, ...], folder: str, *, measured: Platform | None = None
) -> Built:
    """`content` as an image or index whose layers come to `folder` when they are opened. `measured`: the layers of the image
    for this platform come now, and their unpacked sizes are known. UsageError [not-an-image] for artifacts."""
    stored = stored_of(content)
    if not stored.images:
        raise UsageError("not-an-image", "engines and docker archives hold images only", where=str(content.digest))
    images = tuple(_image(image, content.open, Path(folder)) for image in stored.images)
    single = content.descriptor.media_type in media.MANIFESTS
    made = Built(
        name=references[0].name if references else NAMELESS,
        version=(references[0].tag if references else "") or "latest",
        references=tuple(map(str, references)),
        content=images[0] if single else ImageIndex(document=content.top, images=images),
    )
    return made if measured is None else _measured(made, measured)


def stored_of(content: Content) -> Stored:
    """What `content` holds, read as from any place."""
    known = {one.digest: one.data for one in (*content.manifests, *content.configs)}

    def fetch(wanted: Descriptor) -> bytes:
        if wanted.digest not in known:
            raise CorruptError("missing-blob", f"{wanted.digest} is named but not there", where=str(content.digest))
        return known[wanted.digest]

    return documents.stored(fetch, content.descriptor, reference=str(content.digest), partial=True)


def brought(opened: Open, descriptor: Descriptor, file: Path) -> None:
    """Makes `file` be the blob: left alone when it is, else written anew and whole."""
    if file.is_file() and file.stat().st_size == descriptor.size and _hashed(file) == descriptor.digest:
        return
    with disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(file, durable=True) as target:
        for chunk in opened(descriptor):
            target.write(chunk)


def _image(image: StoredImage, opened: Open, folder: Path) -> Image:
    pairs = zip(image.layers, image.settings.rootfs.diff_ids, strict=True)
    layers = tuple(
        Layer(
            media_type=one.media_type,
            digest=one.digest,
            size=one.size,
            diff_id=diff_id,
            unpacked_size=0,
            file=str(folder / one.digest.path),
            bring=_bringer(opened, one, folder / one.digest.path),
        )
        for one, diff_id in pairs
    )
    return Image(platform=image.platform, manifest=image.manifest, config=image.config, layers=layers)


def _bringer(opened: Open, descriptor: Descriptor, file: Path) -> Callable[[], None]:
    return lambda: brought(opened, descriptor, file)


def _measured(made: Built, platform: Platform) -> Built:
    """Only zstd layers are ever unpacked on their way."""
    chosen = choose.built_for(made, platform)
    if not any(media.compression(layer.media_type) == "zstd" for layer in chosen.layers):
        return made
    image = replace(chosen, layers=tuple(map(_with_size, chosen.layers)))
    if isinstance(made.content, Image):
        return replace(made, content=image)
    images = tuple(image if one is chosen else one for one in made.images)
    return replace(made, content=replace(made.content, images=images))


def _with_size(layer: Layer) -> Layer:
    with disk_errors(layer.file), Path(layer.here()).open("rb") as source:
        plain = decompress.opened(source, media.compression(layer.media_type), name=str(layer.digest))
        size = sum(map(len, _chunks(plain)))
    return replace(layer, unpacked_size=size, bring=None)


def _chunks(source: Readable) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk


def _hashed(file: Path) -> str:
    with file.open("rb") as source:
        return f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}"
