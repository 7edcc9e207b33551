"""Image manifests and indexes (image-spec manifest.md, image-index.md). Bytes in, values out; touches nothing."""

from __future__ import annotations

from typing import Any

from wherry.errors import CorruptError
from wherry.oci import media
from wherry.oci.descriptor import Annotations, Descriptor, Document, Wire, decode

DESCRIBES = "vnd.docker.reference.digest"
"""The annotation by which a row of an index says that it describes another row (BuildKit, attestation-storage.md)."""


class Manifest(Wire, frozen=True, kw_only=True):
    """An image for one platform."""

    schema_version: int
    media_type: str = ""
    artifact_type: str = ""
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: Annotations = {}


class Index(Wire, frozen=True, kw_only=True):
    """Several manifests under one digest."""

    schema_version: int
    media_type: str = ""
    artifact_type: str = ""
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: Annotations = {}


class _Shape(Wire, frozen=True, kw_only=True):
    schema_version: int = 0
    media_type: str = ""
    config: Any = None
    layers: Any = None
    manifests: Any = None


def parse(document: Document, *, name: str) -> Manifest | Index:
    """The manifest or index in `document`; CorruptError [manifest-kind] when its body and media type disagree, or it is both
    (CVE-2021-41190, B15)."""
    shape = decode(document.data, _Shape, name=name)
    is_index = shape.manifests is not None
    is_manifest = shape.config is not None or shape.layers is not None
    claimed = shape.media_type or document.media_type
    wrong_kind = (claimed in media.INDEXES and is_manifest) or (claimed in media.MANIFESTS and is_index)
    mismatch = shape.media_type and document.media_type and shape.media_type != document.media_type
    if is_index == is_manifest or wrong_kind or mismatch or shape.schema_version != 2:
        raise CorruptError(
            "manifest-kind", f"{name} is neither clearly an image manifest nor clearly an index", where=name
        )
    return decode(document.data, Index, name=name) if is_index else decode(document.data, Manifest, name=name)
