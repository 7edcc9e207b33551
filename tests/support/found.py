"""What was built as it is found again, and as a base for others. A Built in, a Stored or Bases out; touches nothing."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.model.base import Base
from wherry.model.image import Built, ImageIndex, Stored
from wherry.oci.config import Config, History, RunConfig
from wherry.oci.descriptor import Document, decode, describe, encode
from wherry.oci.manifest import Manifest
from wherry.store import documents


def found(built: Built) -> Stored:
    """`built` as a place gives it back."""
    known = {document.digest: document for image in built.images for document in (image.manifest, image.config)}
    top = built.content.document
    known[top.digest] = top
    platform = None if isinstance(built.content, ImageIndex) else built.content.platform
    descriptor = describe(top, platform=platform)
    return documents.stored(lambda wanted: known[wanted.digest].data, descriptor, reference=built.name)


def configured(built: Built, run: RunConfig, history: tuple[History, ...] | None = None) -> Built:
    """A single-platform `built` with other settings, and another history if one is given."""
    (image,) = built.images
    settings = replace(decode(image.config.data, Config, name="config"), config=run)
    settings = settings if history is None else replace(settings, history=history)
    config = Document(media_type=image.config.media_type, data=encode(settings))
    body = replace(decode(image.manifest.data, Manifest, name="manifest"), config=describe(config))
    manifest = Document(media_type=image.manifest.media_type, data=encode(body))
    return replace(built, content=replace(image, manifest=manifest, config=config))


def bases(built: Built, name: str) -> tuple[Base, ...]:
    """`built` as what other images stand on, platform by platform."""
    return tuple(
        Base(
            name=name,
            platform=image.platform,
            digest=image.digest,
            top=built.digest,
            layers=tuple(replace(layer, role="base") for layer in image.layers),
            config=decode(image.config.data, Config, name="config"),
        )
        for image in built.images
    )
