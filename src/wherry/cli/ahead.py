"""What begins before the command line itself is imported: `go build` on the last plan. Argv in, a session out."""

from __future__ import annotations

import os

from wherry.cache.noop.request import Request
from wherry.errors import WherryError
from wherry.flows.session import Session
from wherry.system.machine import real_machine

_open: list[Session] = []


def begin(key: Request, edited: tuple[str, ...] | None, known: str = "") -> None:
    """Opens the session for this process; what goes wrong here goes wrong again, and is told, where it belongs. `known`: the
    result of the last time, of which nothing has changed: then nothing is compiled."""
    if "--offline" in key.arguments:
        os.environ["WHERRY_OFFLINE"] = "1"  # as the command line does when it is read, which is later
    try:
        _open.append(Session(real_machine(), key, edited, known))
        if not known:
            _open[0].begin()
    except WherryError:
        end()


def session() -> Session | None:
    """The session opened by `begin`, if any."""
    return next(iter(_open), None)


def session_of(*words: str) -> Session | None:
    """The session opened by `begin`, if it was for just these words; another is ended."""
    found = session()
    if found is not None and found.key is not None and found.key.arguments[: len(words)] != words:
        end()
        return None
    return found


def end() -> None:
    """Stops what nobody waited for, and removes the scratch folder."""
    while _open:
        _open.pop().__exit__(None, None, None)
