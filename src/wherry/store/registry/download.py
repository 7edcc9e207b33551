"""One blob on its way here. A descriptor in, its bytes out, gone on with after a cut; touches the network through its session.

What a second answer holds is trusted no more than the first: the caller hashes the whole (C06). An answer that is too short,
or creeps, is broken off and gone on with; one with other bytes is wrong and is not (C05, C11).
"""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UnavailableError
from wherry.kit.ports import Request, Response
from wherry.kit.text import one_line
from wherry.oci.descriptor import Descriptor
from wherry.store.registry import errors
from wherry.store.registry.session import PASSING, TRIES, Session

#: Less than this many bytes in so many seconds is no transfer any more.
SLOWEST: Final = 32 << 10
WINDOW: Final = 60.0
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)", re.ASCII)


class Download:
    """A readable (`kit.streams.Readable`) over as many answers as it takes."""

    def __init__(self, session: Session, address: str, descriptor: Descriptor) -> None:
        self.session, self.address, self.descriptor = session, address, descriptor
        self.at = 0
        self._began = self._failures = 0
        self._ranges = True
        self._response: Response | None = None
        self._window = (0.0, 0)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end of the blob, or where the registry ends it each time we ask."""
        while True:
            try:
                if self._response is None:
                    self._response = self._begin()
                data = self._response.read(size)
                self._progress(data)
            except UnavailableError as error:
                if error.name not in (*PASSING, "stalled") or not self._again():
                    raise
                continue
            self.at += len(data)
            if self.at - self._began >= SLOWEST:
                self._failures = 0
            if data:
                return data
            if self.at >= self.descriptor.size or not self._again():
                return b""

    def close(self) -> None:
        """Gives the connection back."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _again(self) -> bool:
        """Breaks off, and waits before the next answer; False when this was tried often enough and brought next to nothing."""
        self.close()
        self._failures += 1
        return self._failures < TRIES and self.session.wait(self._failures - 1)

    def _begin(self) -> Response:
        """An answer that stands at the next byte."""
        headers = (("Range", f"bytes={self.at}-"),) if self.at and self._ranges else ()
        response = self.session.send(Request(method="GET", url=self.address, headers=headers))
        self._began, self._window = self.at, (self.session.setup.elapsed(), self.at)
        if headers and not _right(response, self.at) and response.status in (200, 206, 416):
            self._ranges = False
            if response.status != 200:
                response.close()
                return self._begin()
        if response.status == 206 and headers:
            return response
        if response.status != 200:
            raise errors.failure(errors.said(response), url=self.address, doing=f"read {self.descriptor.digest}")
        self._response = response
        self._skip(response)
        return response

    def _skip(self, response: Response) -> None:
        """A whole blob instead of the rest: what we have already is passed over. The digest tells if it was the same."""
        left = self.at
        while left and (data := response.read(min(left, 1 << 20))):
            left -= len(data)

    def _progress(self, data: bytes) -> None:
        started, at = self._window
        now = self.session.setup.elapsed()
        if not data or now - started < WINDOW:
            return
        if self.at + len(data) - at < SLOWEST:
            raise UnavailableError(
                "stalled",
                f"{one_line(self.address.split('/')[2])} sends next to nothing",
                where=str(self.descriptor.digest),
                why=f"less than {SLOWEST >> 10} KiB came in {WINDOW:.0f} seconds",
                next="try again later",
            )
        self._window = (now, self.at + len(data))


def _right(response: Response, at: int) -> bool:
    """True for the one answer to a Range that may be appended: 206 that begins where we ended (RFC 9110 section 14.4)."""
    matched = _RANGE.fullmatch(response.header("Content-Range"))
    return response.status == 206 and matched is not None and int(matched[1]) == at
