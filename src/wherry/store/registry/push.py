"""Sending an image. A Content in, tags that point to it out; touches the network through its session.

Blobs first, then the manifests of an index by digest, then what the tag means, once and last (C02): at no moment
does a tag lead to something incomplete, and until the last request it leads to what it did before.
"""

from __future__ import annotations

import functools

from wherry.kit import files, parallel
from wherry.kit.ports import Event, Request
from wherry.oci import media
from wherry.oci.descriptor import Document, describe
from wherry.store.content import Blob, Content
from wherry.store.registry import errors, referrers, url
from wherry.store.registry.mount import Mounts
from wherry.store.registry.pull import Repository
from wherry.store.registry.upload import Upload, same_digest

AT_ONCE = 6
#: How a registry says that a manifest names what it does not have; it may only not have it yet (C03).
_UNKNOWN = ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN")


class Push:
    """One push of one content to one repository, under `names`: tags, or its digest."""

    def __init__(self, repository: Repository, content: Content, names: tuple[str, ...]) -> None:
        self.repository, self.content, self.names = repository, content, names
        self.session, self.base, self.reference = repository.session, repository.base, repository.reference
        self.mounts = Mounts(repository)
        self.sent = 0

    def all(self) -> int:
        """Everything the registry does not have yet, and the tags; bytes sent. Two tries more when it lost a blob meanwhile; one
        where it may want what may not be handed on."""
        for number in range(3):
            self._blobs()
            answer = self._manifests()
            if answer is None:
                return self.sent
            lacks, address = bool(set(answer.codes) & set(_UNKNOWN)), self._manifest_url(self.names[0])
            if lacks and number and self.content.is_partial:
                raise errors.partial(answer, url=address, doing=self._doing())
            if number == 2 or not lacks:
                raise errors.failure(answer, url=address, doing=self._doing())
            self.session.setup.pause(1.0 + number)
        raise AssertionError("a last try always ends")

    def _blobs(self) -> None:
        found: tuple[Blob | Document, ...] = (*self.content.blobs, *self.content.configs)
        self.sent += sum(parallel.each(self._blob, found, at_once=AT_ONCE))

    def _blob(self, blob: Blob | Document) -> int:
        """Sends one blob unless it was sent already, can be mounted or is there; bytes sent. A mount is tried before asking: it
        says yes to what is there, too, in one request instead of two."""
        sent, broken = self._early(blob)
        if sent:
            return blob.size
        location = ""
        for origin in blob.origins if isinstance(blob, Blob) else self.content.origins:
            mounted, location = self.mounts.blob(blob.digest, origin)
            if mounted:
                return 0
            if location:
                break
        if self.repository.has(blob.digest):
            return blob.size if broken else 0
        self._tell(blob)
        if isinstance(blob, Document):
            upload = Upload(self.session, self.reference, describe(blob), lambda: iter((blob.data,)))
        else:
            opened = functools.partial(self.content.open, blob.descriptor)
            file = blob.file if files.is_sized(blob.file, blob.size) else ""
            upload = Upload(self.session, self.reference, blob.descriptor, opened, file)
        upload.send(location, broken)
        self._tell(blob, "end", blob.size)
        return blob.size

    def _early(self, blob: Blob | Document) -> tuple[bool, str]:
        """Whether it is there because it was begun before, and where that broke off."""
        address = url.blob(self.base, self.reference, blob.digest)
        return self.session.setup.early(address, lambda done: self._tell(blob, "progress", done))

    def _tell(self, blob: Blob | Document, state: str = "start", done: int = 0) -> None:
        event = Event(phase="push", state=state, subject=str(blob.digest), done=done, total=blob.size)
        self.session.setup.events(event)

    def _manifests(self) -> errors.Said | None:
        """What no other names first, all at once; then indexes, and the tags last; the registry's word when it refuses one."""
        *children, top = self.content.manifests
        images = tuple(one for one in children if one.media_type not in media.INDEXES)
        answers = parallel.each(lambda one: self._manifest(one, one.digest), images, at_once=AT_ONCE)
        refused = next((answer for answer in answers if answer is not None), None)
        if refused:
            return refused
        indexes = [(one, str(one.digest)) for one in children if one.media_type in media.INDEXES]
        for document, name in (*indexes, *((top, name) for name in self.names)):
            answer = self._manifest(document, name)
            if answer is not None:
                return answer
        return None

    def _manifest(self, document: Document, name: str) -> errors.Said | None:
        headers = (("Content-Type", document.media_type),)
        request = Request(method="PUT", url=self._manifest_url(name), headers=headers, body=document.data)
        response = self.session.send(request)
        if response.status != 201:
            return errors.said(response)
        same_digest(response, document.digest, self.base)
        self.sent += document.size
        referrers.attached(self.repository, document, response)
        return None

    def _manifest_url(self, name: str) -> str:
        return url.manifest(self.base, self.reference, name)

    def _doing(self) -> str:
        return f"push {self.reference}"
