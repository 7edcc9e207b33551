"""What refers to an image: an SBOM, a report, a signature. Its bytes and its subject in, a Content out; touches nothing.

An artifact is a manifest with one layer and the empty config (image-spec manifest.md, "Guidelines for Artifact Usage").
"""

from __future__ import annotations

from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, describe, encode
from wherry.oci.digest import of_bytes
from wherry.oci.manifest import Manifest
from wherry.store.content import Blob, Content

EMPTY = Document(media_type=media.OCI_EMPTY, data=b"{}")


def made(subject: Document, data: bytes, *, kind: str, annotations: tuple[tuple[str, str], ...] = ()) -> Content:
    """`data` of the media type `kind` as an artifact that refers to `subject`; equal arguments give an equal digest."""
    layer = Descriptor(media_type=kind, digest=of_bytes(data), size=len(data))
    body = Manifest(
        schema_version=2,
        media_type=media.OCI_MANIFEST,
        artifact_type=kind,
        config=describe(EMPTY),
        layers=(layer,),
        subject=describe(subject),
        annotations=dict(annotations),
    )
    manifest = Document(media_type=media.OCI_MANIFEST, data=encode(body))
    return Content(
        descriptor=describe(manifest),
        manifests=(manifest,),
        configs=(EMPTY,),
        blobs=(Blob(descriptor=layer),),
        open=lambda _: iter((data,)),
    )
