"""What a registry holds: digests, documents, blobs. Names in, verified bytes out; touches the network through its session."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.errors import CorruptError
from wherry.kit.ports import Request
from wherry.kit.streams import read_limited, verified_chunks
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.manifest import Index
from wherry.oci.reference import Reference
from wherry.store import documents
from wherry.store.registry import errors, url
from wherry.store.registry.session import Session

ACCEPT = (("Accept", ", ".join((*media.INDEXES, *media.MANIFESTS))),)


class Repository:
    """One repository of one registry."""

    def __init__(self, session: Session, reference: Reference) -> None:
        self.session, self.reference = session, reference
        self.base = session.setup.base

    def head(self, name: str) -> Digest | None:
        """The digest that the registry says `name` (a tag or digest) has, or None when it has no such thing.

        Only a header's word (C07): good enough to skip a push, never to read by. None also when the registry says no digest."""
        response = self.session.send(self._request("HEAD", name))
        response.close()
        if response.status == 404:
            return None
        if response.status != 200:
            answer = errors.Said(status=response.status)
            raise errors.failure(
                answer, url=url.manifest(self.base, self.reference, name), doing=f"ask for {self.reference}"
            )
        told = response.header("Docker-Content-Digest")
        try:
            return Digest(told) if told else None
        except CorruptError:
            return None

    def top(self) -> tuple[Descriptor, bytes]:
        """The manifest or index the reference means, hashed against its digest where it has one."""
        name = self.reference.digest or self.reference.tag
        data, media_type = self._manifest(name)
        digest = of_bytes(data)
        if media_type not in (*media.INDEXES, *media.MANIFESTS):  # some servers say text/plain; then the body decides
            parsed = manifests.parse(Document(media_type="", data=data), name=str(self.reference))
            media_type = parsed.media_type or (media.OCI_INDEX if isinstance(parsed, Index) else media.OCI_MANIFEST)
        if self.reference.digest and digest != self.reference.digest:
            raise CorruptError(
                "digest-mismatch", f"the registry sent {digest} instead", where=str(self.reference), next="try again"
            )
        return Descriptor(media_type=media_type, digest=digest, size=len(data)), data

    def fetch(self, descriptor: Descriptor) -> bytes:
        """A document: a manifest from where manifests are, anything else as a blob. The caller compares size and digest."""
        if descriptor.media_type in (*media.INDEXES, *media.MANIFESTS):
            return self._manifest(descriptor.digest)[0]
        return b"".join(self.blob(descriptor))

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob in verified chunks."""
        address = url.blob(self.base, self.reference, descriptor.digest)
        response = self.session.send(Request(method="GET", url=address))
        if response.status != 200:
            raise errors.failure(errors.said(response), url=address, doing=f"read {descriptor.digest}")
        try:
            yield from verified_chunks(
                response, sha256=descriptor.digest.hex, size=descriptor.size, name=str(descriptor.digest)
            )
        finally:
            response.close()

    def _manifest(self, name: str) -> tuple[bytes, str]:
        request = self._request("GET", name)
        response = self.session.send(request)
        if response.status != 200:
            raise errors.failure(errors.said(response), url=request.url, doing=f"read {self.reference}")
        try:
            data = read_limited(response, limit=documents.LARGEST, name=f"{self.reference.name}@{name}")
        finally:
            response.close()
        return data, response.header("Content-Type").partition(";")[0].strip()

    def _request(self, method: str, name: str) -> Request:
        return Request(method=method, url=url.manifest(self.base, self.reference, name), headers=ACCEPT)
