"""Whether something is there, and how long it is. An address in, an answer without its body out; touches the network through
a session.

HEAD is what the distribution specification has for this. Some registries, and some of what stands before them, refuse it and
answer GET (405, 501; a firewall's 403): then GET is asked, of a blob for its first byte alone, and that is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from wherry.kit.ports import Request, Response
from wherry.store.registry.session import Session, passing

#: Answers to HEAD that may not be the answer to GET. A 404 is believed: it is what "not there" looks like.
_REFUSED: Final = (400, 403, 405, 406, 501)
#: Answers to GET that show that it was HEAD alone that was refused.
_TOLD: Final = (200, 206, 404, 416)
_TOTAL: Final = re.compile(r"bytes (?:\d{1,18}-\d{1,18}|\*)/(\d{1,18})", re.ASCII)
FIRST: Final = (("Range", "bytes=0-0"),)


def look(
    session: Session,
    request: Request,
    *,
    instead: tuple[tuple[str, str], ...] = (),
    send: Callable[[Request], Response] | None = None,
) -> Response:
    """The answer to `request`, which is made a HEAD, or a GET with the headers `instead` added where HEAD is refused. Its body
    may be there and is for the caller to close. `send`: how to ask; with the session's patience when it is not given."""
    send = send or session.send
    if session.facts.head is not False:
        response = send(replace(request, method="HEAD"))
        if response.status not in _REFUSED or passing(response):
            return response
        response.close()
    response = send(replace(request, method="GET", headers=(*request.headers, *instead)))
    if response.status in _TOLD:
        session.learn(head=False)
    return response


def there(response: Response) -> bool:
    """True when the answer says that it is there; 416 is what a blob without a first byte gets."""
    return response.status in (200, 206, 416)


def length(response: Response) -> int | None:
    """How long the whole is by the answer's headers; None when they do not say."""
    matched = _TOTAL.fullmatch(response.header("Content-Range"))
    told = matched[1] if matched else response.header("Content-Length") if response.status == 200 else ""
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else None
