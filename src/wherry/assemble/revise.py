"""New documents for a published image, its layers as they are. What was found and what to change in, documents out; touches
nothing.

An index is changed from its images upwards: each image is made anew, then the index names the new ones. What describes an image
by its digest (BuildKit's attestations) would tell a lie about the new one, so it is left out, and said so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from wherry.errors import CorruptError
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.image import Stored, StoredImage
from wherry.oci import edit, media
from wherry.oci import manifest as manifests
from wherry.oci.config import Config
from wherry.oci.descriptor import Annotations, Descriptor, Document, decode, describe, encode
from wherry.oci.digest import Digest
from wherry.oci.manifest import DESCRIBES, Index
from wherry.oci.platform import Platform


class Replaced(Value, frozen=True, kw_only=True):
    """An image's digest before and after."""

    platform: Platform
    old: Digest
    new: Digest


class Revised(Value, frozen=True, kw_only=True):
    """An image or index with new documents."""

    descriptor: Descriptor
    documents: tuple[Document, ...]
    """All that are reachable from the top one, new or not; the top one first."""
    replaced: tuple[Replaced, ...]
    findings: tuple[Finding, ...] = ()


class Remade(Value, frozen=True, kw_only=True):
    """One image's new documents."""

    manifest: Document
    config: Document


Remake = Callable[[StoredImage], Remade]
Annotate = Callable[[Annotations], Annotations]


def revised(stored: Stored, remake: Remake, annotate: Annotate) -> Revised:
    """`stored` with each image remade, and with `annotate` applied to the annotations of every index."""
    revision = _Revision(stored, remake, annotate)
    top = revision.document(stored.descriptor)
    found = {one.digest: one for one in (*stored.documents, *revision.made)}
    return Revised(
        descriptor=describe(top, platform=stored.descriptor.platform),
        documents=(top, *(one for one in found.values() if one.digest != top.digest)),
        replaced=tuple(revision.replaced.values()),
        findings=tuple(revision.findings),
    )


def with_members(document: Document, changes: Mapping[str, object]) -> Document:
    """`document` with some members changed; itself when there is nothing to change."""
    if not changes:
        return document
    data = edit.changed(document.data, changes, name=str(document.digest))
    return Document(media_type=document.media_type, data=data)


def with_config(manifest: Document, config: Document) -> msgspec.Raw:
    """The member `config` of `manifest`, now for this config; what its descriptor says beside digest and size stays."""
    before = edit.members(manifest.data, name=str(manifest.digest))["config"]
    changes = {"digest": config.digest, "size": config.size}
    return msgspec.Raw(edit.changed(bytes(before), changes, name=str(manifest.digest)))


def reconfigured(config: Document, run: Mapping[str, object], changes: Mapping[str, object]) -> Document:
    """`config` with `changes`, and with `run` changed in its own `config`. One that is as wherry writes them stays so: then the
    members stand where a build would put them."""
    name = str(config.digest)
    before = bytes(edit.members(config.data, name=name).get("config", b"{}"))
    inner = edit.changed(b"{}" if before == b"null" else before, run, name=name)
    made = with_members(config, {"config": msgspec.Raw(inner), **changes})
    if encode(decode(config.data, Config, name=name)) == config.data:
        return Document(media_type=config.media_type, data=encode(decode(made.data, Config, name=name)))
    return made


class _Revision:
    def __init__(self, stored: Stored, remake: Remake, annotate: Annotate) -> None:
        self.remake, self.annotate = remake, annotate
        self.documents = {document.digest: document for document in stored.documents}
        self.images = {image.digest: image for image in stored.images}
        self.made: list[Document] = []
        self.replaced: dict[Digest, Replaced] = {}
        self.findings: list[Finding] = []

    def document(self, descriptor: Descriptor) -> Document:
        """The document that now stands for `descriptor`."""
        if descriptor.digest in self.images:
            return self.image(self.images[descriptor.digest])
        if descriptor.digest not in self.documents:
            raise CorruptError("missing-blob", f"{descriptor.digest} is named but was not found")
        document = self.documents[descriptor.digest]
        if descriptor.media_type not in media.INDEXES:
            return document
        made = self.index(document)
        self.made.append(made)
        return made

    def image(self, image: StoredImage) -> Document:
        remade = self.remake(image)
        self.made += [remade.manifest, remade.config]
        if remade.manifest.digest != image.digest:
            self.replaced[image.digest] = Replaced(
                platform=image.platform, old=image.digest, new=remade.manifest.digest
            )
        return remade.manifest

    def index(self, document: Document) -> Document:
        name = str(document.digest)
        members = edit.members(document.data, name=name)
        raws = edit.elements(bytes(members.get("manifests", b"[]")), name=name)
        children = [(raw, decode(bytes(raw), Descriptor, name=name)) for raw in raws]
        new = {child.digest: self.document(child) for _, child in children if child.digest in self.documents}
        kept = [self.entry(raw, child, new.get(child.digest)) for raw, child in children if not self.is_stale(child)]
        parsed = manifests.parse(document, name=name)
        assert isinstance(parsed, Index)
        annotations = self.annotate(parsed.annotations)
        changes: dict[str, object] = {} if annotations == parsed.annotations else {"annotations": annotations or None}
        if kept != list(raws):
            changes["manifests"] = kept
        return with_members(document, changes)

    def entry(self, raw: msgspec.Raw, child: Descriptor, new: Document | None) -> msgspec.Raw:
        if new is None or new.digest == child.digest:
            return raw
        changes = {"digest": new.digest, "size": new.size}
        return msgspec.Raw(edit.changed(bytes(raw), changes, name=str(child.digest)))

    def is_stale(self, child: Descriptor) -> bool:
        subject = child.annotations.get(DESCRIBES, "")
        stale = subject in self.replaced
        if stale:
            self.findings.append(
                Finding(
                    name="attestation-dropped",
                    message="it describes the image as it was, so the new index does not name it",
                    severity="note",
                    subject=f"attestation of {subject}",
                )
            )
        return stale
