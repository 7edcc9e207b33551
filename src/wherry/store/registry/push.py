"""Sending an image. A Content in, a tag that points to it out; touches the network through its session.

Blobs first, then the manifests of an index by digest, then what the tag means, once and last (C02): at no moment
does a tag lead to something incomplete, and until the last request it leads to what it did before.
"""

from __future__ import annotations

import functools

from wherry.errors import CorruptError, UnavailableError
from wherry.kit import parallel
from wherry.kit.ports import Event, Request, Response
from wherry.oci.descriptor import Document
from wherry.oci.digest import Digest
from wherry.store.content import Blob, Content
from wherry.store.registry import errors, url
from wherry.store.registry.pull import Repository
from wherry.store.registry.session import PASSING, TRIES

AT_ONCE = 4
#: How a registry says that a manifest names what it does not have; it may only not have it yet (C03).
_UNKNOWN = ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN")


class Push:
    """One push of one content to one repository, under `names`: tags, or its digest."""

    def __init__(self, repository: Repository, content: Content, names: tuple[str, ...]) -> None:
        self.repository, self.content, self.names = repository, content, names
        self.session, self.base, self.reference = repository.session, repository.base, repository.reference
        self.sent = 0

    def all(self) -> int:
        """Everything the registry does not have yet, and the tags; bytes sent. Two tries more when it lost a blob meanwhile."""
        for number in range(3):
            self._blobs()
            answer = self._manifests()
            if answer is None:
                return self.sent
            if number == 2 or not set(answer.codes) & set(_UNKNOWN):
                raise errors.failure(answer, url=self._manifest_url(self.names[0]), doing=self._doing())
            self.session.setup.pause(1.0 + number)
        raise AssertionError("a last try always ends")

    def _blobs(self) -> None:
        found: tuple[Blob | Document, ...] = (*self.content.blobs, *self.content.configs)
        self.sent += sum(parallel.each(self._blob, found, at_once=AT_ONCE))

    def _blob(self, blob: Blob | Document) -> int:
        """Sends one blob unless it is there; bytes sent."""
        address = url.blob(self.base, self.reference, blob.digest)
        response = self.session.send(Request(method="HEAD", url=address))
        response.close()
        if response.status == 200:
            return 0
        if response.status != 404:
            raise errors.failure(errors.Said(status=response.status), url=address, doing=self._doing())
        self.session.setup.events(Event(phase="push", subject=str(blob.digest), total=blob.size))
        self._upload(blob)
        self.session.setup.events(
            Event(phase="push", state="end", subject=str(blob.digest), done=blob.size, total=blob.size)
        )
        return blob.size

    def _upload(self, blob: Blob | Document) -> None:
        """POST, then PUT of the whole (distribution-spec, "Pushing a blob monolithically"); begun anew when it breaks."""
        for number in range(TRIES):
            last = number == TRIES - 1
            try:
                response = self._put(blob)
            except UnavailableError as error:
                if error.name not in PASSING or last:
                    raise
                self.session.wait(number)
                continue
            if response.status == 201:
                self._same_digest(response, blob.digest)
                return
            answer = errors.said(response)
            if answer.status not in (*errors.PASSING, 404, 416) or last:
                raise errors.failure(answer, url=url.uploads(self.base, self.reference), doing=self._doing())
            self.session.wait(number, response.header("Retry-After"))

    def _put(self, blob: Blob | Document) -> Response:
        begin = url.uploads(self.base, self.reference)
        response = self.session.send(Request(method="POST", url=begin, headers=(("Content-Length", "0"),)))
        if response.status != 202:
            return response
        location = response.header("Location")
        response.close()
        if not location:
            raise errors.odd(begin, "it began an upload and did not say where")
        target = url.with_query(url.joined(begin, location), digest=blob.digest)
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/octet-stream"),)
        if isinstance(blob, Document):
            return self.session.once(Request(method="PUT", url=target, headers=headers, body=blob.data))
        headers = (*headers, ("Content-Length", str(blob.size)))
        stream = functools.partial(self.content.open, blob.descriptor)
        return self.session.once(Request(method="PUT", url=target, headers=headers, body_stream=stream))

    def _manifests(self) -> errors.Said | None:
        """Children by digest, then the tags; the registry's word when it refuses one."""
        for document in self.content.manifests[:-1]:
            answer = self._manifest(document, document.digest)
            if answer is not None:
                return answer
        for name in self.names:
            answer = self._manifest(self.content.top, name)
            if answer is not None:
                return answer
        return None

    def _manifest(self, document: Document, name: str) -> errors.Said | None:
        headers = (("Content-Type", document.media_type),)
        request = Request(method="PUT", url=self._manifest_url(name), headers=headers, body=document.data)
        response = self.session.send(request)
        if response.status != 201:
            return errors.said(response)
        response.close()
        self._same_digest(response, document.digest)
        self.sent += document.size
        return None

    def _same_digest(self, response: Response, digest: Digest) -> None:
        response.close()
        told = response.header("Docker-Content-Digest")
        if told and told != digest:
            raise CorruptError(
                "digest-changed",
                f"{self.reference.host} stored another digest than was sent",
                where=str(digest),
                why=f"it says {told[:80]}",
                next="tell whoever runs the registry",
            )

    def _manifest_url(self, name: str) -> str:
        return url.manifest(self.base, self.reference, name)

    def _doing(self) -> str:
        return f"push {self.reference}"
