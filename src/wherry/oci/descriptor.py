"""Descriptors and documents (image-spec descriptor.md). Bytes in, typed views out; touches nothing."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from wherry.kit import jsons
from wherry.kit.value import Value
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.platform import Platform

T = TypeVar("T")

Annotations = dict[str, str]
"""Wire form only. Inside wherry, pairs travel as sorted tuples; see `pairs`."""


class Wire(Value, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A document or part of one as it stands in JSON; unknown members are allowed (spec: considerations.md#extensibility)."""


class Descriptor(Wire, frozen=True, kw_only=True):
    """What a blob is, its digest and its size in bytes."""

    media_type: str
    digest: Digest
    size: int
    urls: tuple[str, ...] = ()
    annotations: Annotations = {}
    artifact_type: str = ""
    platform: Platform | None = None


class Document(Value, frozen=True, kw_only=True):
    """A small JSON blob with its raw bytes, which are its identity (rule 5)."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> Digest:
        return of_bytes(self.data)

    @property
    def size(self) -> int:
        return len(self.data)


def decode(data: bytes, kind: type[T], *, name: str) -> T:
    """Strict JSON as a wire value; CorruptError [json] or [bad-digest] otherwise."""
    return jsons.decode(data, kind, name=name, dec_hook=_from_json)


def encode(value: Value) -> bytes:
    """Canonical bytes: members in declaration order, maps sorted, no spaces. Equal values give equal bytes."""
    return msgspec.json.encode(value, order="deterministic", enc_hook=str)


def describe(
    document: Document, *, platform: Platform | None = None, annotations: Annotations | None = None
) -> Descriptor:
    """The descriptor of `document`."""
    return Descriptor(
        media_type=document.media_type,
        digest=document.digest,
        size=document.size,
        platform=platform,
        annotations=annotations or {},
    )


def _from_json(kind: type, value: Any) -> Any:
    if kind is Digest:
        return Digest(value)
    raise NotImplementedError(kind)
