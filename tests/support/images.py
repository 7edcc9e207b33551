"""Small random images for tests of stores and whatever moves images. A folder and a seed in, a Built out; writes layers there."""

from __future__ import annotations

import gzip
import hashlib
import random
from pathlib import Path
from typing import NamedTuple

from wherry.model.image import Built, Image, ImageIndex, Layer
from wherry.oci import media, platform, tar
from wherry.oci.config import Config, Healthcheck, History, RootFS, RunConfig
from wherry.oci.descriptor import Descriptor, Document, describe, encode
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.manifest import Index, Manifest
from wherry.oci.platform import Platform

HEALTH = Healthcheck(test=("CMD", "/app/probe"), interval=30_000_000_000, timeout=3_000_000_000, retries=3)


class Shape(NamedTuple):
    """What kind of random image."""

    platforms: tuple[str, ...] = ("linux/amd64",)
    layers: int = 2
    size: int = 3000
    """Random bytes in each layer."""
    format: str = "oci"
    compression: str = "gzip"
    name: str = "app"
    version: str = "1.2.3"
    references: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


def random_image(folder: Path, *, seed: int = 0, shape: Shape = Shape()) -> Built:  # noqa: B008 - immutable
    """An image, or an index for several platforms; layers are files in `folder`. Equal arguments, equal digests."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = tuple(platform.parse(text) for text in shape.platforms)
    images = tuple(_image(folder, one, random.Random(f"{seed} {one}"), shape) for one in chosen)
    content = images[0] if len(images) == 1 else _index(images, shape.format)
    return Built(name=shape.name, version=shape.version, content=content, references=shape.references)


def random_layer(folder: Path, random_: random.Random, size: int, packing: tuple[str, str] = ("oci", "gzip")) -> Layer:
    """A layer holding one file of random bytes at a random path."""
    entries = (
        tar.Entry(path="app", kind="directory", mode=0o755),
        tar.Entry(path=f"app/{random_.getrandbits(64):x}", mode=0o555, content=random_.randbytes(size)),
    )
    layout = tar.layout(entries)
    unpacked = bytearray(layout.size)
    layout.read(0, memoryview(unpacked))
    packed = compressed(bytes(unpacked), packing[1])
    digest = of_bytes(packed)
    file = folder / digest.hex
    file.write_bytes(packed)
    return Layer(
        media_type=media.LAYER[packing],
        digest=digest,
        size=len(packed),
        diff_id=Digest("sha256:" + hashlib.sha256(unpacked).hexdigest()),
        unpacked_size=len(unpacked),
        file=str(file),
        role="app",
        history="random",
    )


def compressed(data: bytes, compression: str) -> bytes:
    """`data` as gzip, zstd or itself."""
    if compression == "zstd":
        import zstandard

        return zstandard.ZstdCompressor().compress(data)
    return gzip.compress(data, mtime=0) if compression == "gzip" else data


def _image(folder: Path, platform_: Platform, random_: random.Random, shape: Shape) -> Image:
    made = tuple(
        random_layer(folder, random_, shape.size, (shape.format, shape.compression)) for _ in range(shape.layers)
    )
    docker = shape.format == "docker"
    run = RunConfig(
        user="65532:65532",
        entrypoint=("/app/x",),
        labels={"seed": str(random_.random()), **dict(shape.labels)},
        healthcheck=HEALTH if docker else None,
    )
    settings = Config(
        created="2026-01-02T03:04:05Z",
        architecture=platform_.architecture,
        os=platform_.os,
        variant=platform_.variant,
        config=run,
        rootfs=RootFS(diff_ids=tuple(layer.diff_id for layer in made)),
        history=tuple(History(created="2026-01-02T03:04:05Z", created_by="random") for _ in made),
    )
    config = Document(media_type=media.DOCKER_CONFIG if docker else media.OCI_CONFIG, data=encode(settings))
    body = Manifest(
        schema_version=2,
        media_type=media.DOCKER_MANIFEST if docker else media.OCI_MANIFEST,
        config=describe(config),
        layers=tuple(Descriptor(media_type=one.media_type, digest=one.digest, size=one.size) for one in made),
    )
    return Image(
        platform=platform_, manifest=Document(media_type=body.media_type, data=encode(body)), config=config, layers=made
    )


def _index(images: tuple[Image, ...], form: str) -> ImageIndex:
    body = Index(
        schema_version=2,
        media_type=media.DOCKER_INDEX if form == "docker" else media.OCI_INDEX,
        manifests=tuple(describe(image.manifest, platform=image.platform) for image in images),
    )
    return ImageIndex(document=Document(media_type=body.media_type, data=encode(body)), images=images)
