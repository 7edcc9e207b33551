"""What a registry holds: digests, documents, blobs. Names in, verified bytes out; touches the network through its session."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wherry.errors import CorruptError
from wherry.kit.ports import Request, Response
from wherry.kit.streams import verified_chunks
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, describe
from wherry.oci.digest import Digest
from wherry.oci.manifest import Index
from wherry.oci.reference import Reference
from wherry.store import documents
from wherry.store.registry import errors, head, url
from wherry.store.registry.download import Download
from wherry.store.registry.session import Session

ACCEPT = (("Accept", ", ".join((*media.INDEXES, *media.MANIFESTS))),)
SCHEMA_1 = (
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
_OLD = re.compile(rb'"schemaVersion"\s*:\s*1\s*[,}]')


class Repository:
    """One repository of one registry."""

    def __init__(self, session: Session, reference: Reference) -> None:
        self.session, self.reference = session, reference
        self.base = session.setup.base

    def head(self, name: str, *, patient: bool = True) -> Digest | None:
        """The digest that the registry says `name` (a tag or digest) has, or None when it has no such thing.

        Only a header's word where there is one (C07): good enough to skip a push, never to read by. A registry that says no
        digest, or refuses HEAD, is asked for the document itself. `patient`: tries again what may pass."""
        send = self.session.send if patient else self.session.once
        response = head.look(self.session, self._request("HEAD", name), send=send)
        if response.status == 404:
            response.close()
            return None
        if response.status != 200:
            where = url.manifest(self.base, self.reference, name)
            raise errors.failure(errors.said(response), url=where, doing=f"ask for {self.reference}")
        response.close()
        told = response.header("Docker-Content-Digest")
        try:
            return Digest(told) if told else self.manifest(name).digest
        except CorruptError:
            return None

    def has(self, digest: Digest) -> bool:
        """True when the blob is there, by the registry's word."""
        address = url.blob(self.base, self.reference, digest)
        response = head.look(self.session, Request(method="HEAD", url=address), instead=head.FIRST)
        if response.status != 404 and not head.there(response):
            raise errors.failure(errors.said(response), url=address, doing=f"ask {self.reference.name} for {digest}")
        response.close()
        return head.there(response)

    def top(self) -> tuple[Descriptor, bytes]:
        """The manifest or index the reference means, hashed against its digest where it has one."""
        document = self.manifest(self.reference.digest or self.reference.tag)
        return describe(document), document.data

    def manifest(self, name: str) -> Document:
        """What a tag or digest means; CorruptError [digest-mismatch] when it is something else than was asked for, [schema-1]
        for what no engine reads any more."""
        document, wanted = self._asked(name)
        if wanted != document.digest:  # a cut answer without a length looks like this too
            self.session.wait(0)
            document, wanted = self._asked(name)
        if wanted != document.digest:
            raise CorruptError(
                "digest-mismatch",
                f"the registry sent {document.digest} instead",
                where=f"{self.reference.name}@{wanted[:80]}",
                next="try again",
            )
        return document

    def _asked(self, name: str) -> tuple[Document, str]:
        """What came, and the digest it should have: the one asked for, else the registry's word for what it sent."""
        request, shown = self._request("GET", name), f"{self.reference.name}@{name}"
        response, data = self.session.whole(request, limit=documents.LARGEST, name=shown)
        if response.status != 200:
            raise errors.failure(errors.said(response), url=request.url, doing=f"read {self.reference}")
        told = response.header("Docker-Content-Digest")
        document = Document(media_type=_media_type(response, data, shown), data=data)
        return document, name if ":" in name else (told if told.startswith("sha256:") else document.digest)

    def fetch(self, descriptor: Descriptor) -> bytes:
        """A document: a manifest from where manifests are, anything else as a blob. The caller compares size and digest."""
        if descriptor.media_type in (*media.INDEXES, *media.MANIFESTS):
            return self.manifest(descriptor.digest).data
        return b"".join(self.blob(descriptor))

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob in verified chunks, from this registry alone: addresses in a descriptor (`urls`) are never asked (D04)."""
        source = Download(self.session, url.blob(self.base, self.reference, descriptor.digest), descriptor)
        try:
            yield from verified_chunks(
                source, sha256=descriptor.digest.hex, size=descriptor.size, name=str(descriptor.digest)
            )
        finally:
            source.close()

    def _request(self, method: str, name: str) -> Request:
        return Request(method=method, url=url.manifest(self.base, self.reference, name), headers=ACCEPT)


def _media_type(response: Response, data: bytes, name: str) -> str:
    """By the header where it is one we know; some servers say text/plain, and then the body decides."""
    said = response.header("Content-Type").partition(";")[0].strip()
    if said in (*media.INDEXES, *media.MANIFESTS):
        return said
    if said in SCHEMA_1 or _OLD.search(data[:4096]):
        raise CorruptError(
            "schema-1",
            f"{name} is an image of Docker's schema 1",
            where=name,
            why="its layers have no digests of their own that could be checked; registries gave it up in 2019",
            next="push the image anew with a present tool, and use that",
        )
    parsed = manifests.parse(Document(media_type="", data=data), name=name)
    return parsed.media_type or (media.OCI_INDEX if isinstance(parsed, Index) else media.OCI_MANIFEST)
