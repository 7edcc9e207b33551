"""One blob on its way to a registry. A way to open it in, a blob there out; touches the network through its session.

Whole in one request where that goes through (distribution-spec, "Pushing a blob monolithically"). After a cut the registry
is asked what it has, and the rest follows in chunks ("Pushing a blob in chunks"); where it has nothing, or lost the upload,
all begins anew. A registry, or what stands before it, that refuses a whole blob as too large gets chunks from the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from wherry.errors import CorruptError, UnavailableError
from wherry.kit.ports import Event, Request, Response
from wherry.kit.text import one_line
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store.registry import errors, url
from wherry.store.registry.session import PASSING, TRIES, Session, passing

#: Bytes of a chunk after a cut; what refuses this many (413) gets a quarter, and so on down to the least.
CHUNK: Final = 32 << 20
LEAST: Final = 1 << 20
#: After so many failures in a row an upload is begun anew, whatever the registry says that it has of it.
ANEW: Final = 3
SLICE: Final = 1 << 17
"""Most bytes handed to the network at once: its patience is counted for each."""
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,18})", re.ASCII)
_OCTETS = ("Content-Type", "application/octet-stream")
#: What a registry says of an upload that it lost, or of bytes that changed on the way: begun anew.
_WRONG = ("DIGEST_INVALID", "SIZE_INVALID")
_ANEW = ("BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", *_WRONG)

Opened = Callable[[], Iterator[bytes]]
"""The bytes from their start, at each call."""


class Upload:
    """The state of one blob's upload: where to, and how much of it is there."""

    def __init__(self, session: Session, reference: Reference, blob: Descriptor, opened: Opened, file: str = ""):
        """`file` has the bytes of `opened`, which are sent without looking at them: the registry hashes them, and if it finds
        them wrong, `opened` says why."""
        self.session, self.reference, self.digest, self.size = session, reference, blob.digest, blob.size
        self.begin = url.uploads(session.setup.base, reference)
        self.location = ""
        self.at = 0
        self.chunk = session.facts.chunk
        self._file = file
        self._source = _Source(opened)
        self._sent = self._best = self._failures = 0

    def send(self, location: str = "", broken: str = "") -> None:
        """Ends when the blob is there. `location`: where an upload that was begun already goes on. `broken`: where one broke
        off."""
        self.location = broken or location
        if broken and not self._again(None):
            self.location = ""
        while True:
            try:
                response = self._step()
            except UnavailableError as error:
                if error.name not in PASSING or not self._again(None):
                    raise
                continue
            if response.status == 201 and self.location:
                same_digest(response, self.digest, self.begin)
                return
            if response.status == 202:
                self._forward(response)
            else:
                self._refused(response)

    def _step(self) -> Response:
        """The next request: to begin, to send the whole, the next chunk, or the word that this was all."""
        if not self.location:
            return self.session.once(Request(method="POST", url=self.begin, headers=(("Content-Length", "0"),)))
        if self.chunk and self.at < self.size:
            return self._bytes("PATCH", self.location, min(self.chunk, self.size - self.at))
        return self._bytes("PUT", url.with_query(self.location, digest=self.digest), self.size - self.at)

    def _bytes(self, method: str, target: str, count: int) -> Response:
        start, self._sent = self.at, self.at + count
        headers = [_OCTETS, ("Content-Length", str(count))]
        if method == "PATCH":
            headers.append(("Content-Range", f"{start}-{start + count - 1}"))
        request = Request(method=method, url=target, headers=tuple(headers))
        if self._file:
            body = {"body_file": self._file, "body_offset": start, "body_size": count}
            return self.session.once(replace(request, told=lambda done: self._tell(start + done), **body))
        return self.session.once(replace(request, body_stream=lambda: self._told(self._source.read(start, count))))

    def _told(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        at, said = self.at, self.at
        for piece in pieces:
            yield piece
            at += len(piece)
            if at - said >= LEAST:
                said = at
                self._tell(at)

    def _tell(self, at: int) -> None:
        event = Event(phase="push", state="progress", subject=str(self.digest), done=at, total=self.size)
        self.session.setup.events(event)

    def _forward(self, response: Response) -> None:
        """The upload was begun, or a chunk arrived; by the registry's own count, which may be less than was sent."""
        location = response.header("Location")
        response.close()
        if not self.location:
            least = response.header("OCI-Chunk-Min-Length")
            if self.chunk and least.isascii() and least.isdecimal() and len(least) < 12:
                self.chunk = max(self.chunk, min(int(least), 4 * CHUNK))
            if not location:
                raise errors.odd(self.begin, "it began an upload and did not say where")
        elif self.chunk and self.at < self.size:
            has = min(_has(response) or self._sent, self._sent)
            if has <= self.at:
                raise errors.odd(self.begin, f"it takes chunks and still has {has} bytes")
            self._reached(has)
        else:
            raise errors.odd(self.begin, "it took a whole blob and does not say that it has it")
        if location:
            self.location = url.joined(self.location or self.begin, location)

    def _reached(self, at: int) -> None:
        """So much is there; only more than ever before counts as a success."""
        self.at = at
        if at > self._best:
            self._best, self._failures = at, 0

    def _refused(self, response: Response) -> None:
        """Returns when another way is worth trying."""
        if response.status == 413 and self._smaller():
            response.close()
            return
        if passing(response):
            if self._again(response):
                response.close()
                return
            raise errors.failure(errors.said(response), url=self.begin, doing=f"push {self.reference}")
        answer = errors.said(response)
        lost = answer.status in (404, 416) or set(answer.codes) & set(_ANEW)
        if set(answer.codes) & set(_WRONG):
            self._file = ""
        if not (lost and self.location and self._again(None)):
            raise errors.failure(answer, url=self.begin, doing=f"push {self.reference}")

    def _smaller(self) -> bool:
        """Chunks, or smaller ones; remembered for all uploads to this registry. False when they cannot be smaller."""
        smaller = min(self.chunk or 4 * CHUNK, self.size) // 4
        if smaller < LEAST:
            return False
        self.chunk, self.location, self.at = smaller, "", 0
        self.session.learn(chunk=smaller)
        return True

    def _again(self, response: Response | None) -> bool:
        """Waits, and finds out where to go on; False when that was tried often enough without one byte more."""
        self._failures += 1
        if self._failures >= TRIES or not self.session.wait(self._failures - 1, response):
            return False
        self._reached(self._asked() if self._failures < ANEW else 0)
        if not self.at:
            self.location = ""
        if self.at or (self.size > CHUNK and self._failures > 1):
            self.chunk = self.chunk or CHUNK
        return True

    def _asked(self) -> int:
        """How much of the blob the registry has; 0 when it knows nothing of it, or says what cannot be."""
        if not self.location or self.size <= LEAST:
            return 0
        response = self.session.send(Request(method="GET", url=self.location))
        response.close()
        has = _has(response) if response.status in (200, 204) else 0
        if response.header("Location"):
            self.location = url.joined(self.location, response.header("Location"))
        return has if has <= self.size else 0


class _Source:
    """A stream that can be read from any place: forward as it comes, back by opening it again."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._stream: Iterator[bytes] = iter(())
        self._held = memoryview(b"")
        self._at = -1

    def read(self, start: int, count: int) -> Iterator[bytes]:
        """`count` bytes from `start`; CorruptError [short-blob] when there are fewer."""
        if self._at != start:
            self._stream, self._held, self._at = self.opened(), memoryview(b""), 0
            while self._at < start and self._piece(start - self._at):
                pass
        end = start + count
        while self._at < end:
            piece = self._piece(end - self._at)
            if not piece:
                raise CorruptError("short-blob", f"what is to be sent ended after {self._at} of {end} bytes")
            yield piece

    def _piece(self, most: int) -> bytes:
        if not self._held:
            self._held = memoryview(next(self._stream, b""))
        piece, self._held = self._held[: min(most, SLICE)], self._held[min(most, SLICE) :]
        self._at += len(piece)
        return piece  # type: ignore[return-value] # sockets take a view as they take bytes, without a copy


def _has(response: Response) -> int:
    """Bytes received by the registry's Range header. `0-0` is what some say of nothing, so one byte counts as none."""
    matched = _RANGE.fullmatch(response.header("Range"))
    last = int(matched[1]) if matched else 0
    return last + 1 if last else 0


def same_digest(response: Response, digest: Digest, address: str) -> None:
    """Closes the answer; CorruptError [digest-changed] when the registry says that it stored something else."""
    response.close()
    told = response.header("Docker-Content-Digest")
    if told and told != digest:
        raise CorruptError(
            "digest-changed",
            f"{urlsplit(address).netloc} stored another digest than was sent",
            where=str(digest),
            why=f"it says {one_line(told[:80])}",
            next="tell whoever runs the registry",
        )
