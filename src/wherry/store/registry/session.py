"""Requests to one registry: who we are, redirects, and trying again. A request in, an answer out; touches the network
through its port.

Credentials and tokens go to the registry's own origin only, whatever an answer says (D02, D03, D05). What another
try may change is tried again, a bounded number of times, waiting longer each time (C01); what it will not is given
back at once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from wherry.errors import UnavailableError, WherryError
from wherry.kit.ports import Event, Events, Http, Request, Response
from wherry.kit.value import Value
from wherry.store.registry import auth, errors, url
from wherry.store.registry.credentials import Credentials

TRIES: Final = 5
REDIRECTS: Final = 5
LONGEST_WAIT: Final = 60.0
#: Errors of the Http port that another try may mend.
PASSING: Final = ("unreachable", "no-answer", "connection-lost")
_MOVED = (301, 302, 303, 307, 308)


class Setup(Value, frozen=True, kw_only=True):
    """How to reach one registry."""

    http: Http
    base: str
    scope: str
    """What is to be done: `repository:NAME:pull` or `repository:NAME:pull,push`."""
    credentials: Callable[[], Credentials | None]
    """Asked at the first 401: a helper may take a second, and many registries never ask."""
    pause: Callable[[float], None]
    events: Events
    token_hosts: tuple[tuple[str, str], ...] = ()


class Session:
    """Safe to use from several threads."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._authorization = ""
        self._credentials: Credentials | None = None
        self._asked = False
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """The answer, whatever its status but 401 when we can do something about it. Redirects of GET and HEAD are followed."""
        for number in range(TRIES):
            last = number == TRIES - 1
            try:
                response = self._authorized(request)
            except UnavailableError as error:
                if error.name not in PASSING or last:
                    raise
                self.wait(number)
                continue
            if response.status not in errors.PASSING or last:
                return response
            told = response.header("Retry-After")
            response.close()
            self.wait(number, told)
        raise AssertionError("a last try always ends")

    def once(self, request: Request) -> Response:
        """As `send`, without trying again: for uploads, which begin anew as a whole."""
        return self._authorized(request)

    def _authorized(self, request: Request) -> Response:
        used = self._authorization
        response = self._follow(request, used)
        if response.status != 401 or not url.same_origin(request.url, self.setup.base):
            return response
        challenge = auth.challenge(response)
        if challenge is None:
            return response
        try:
            authorization = self._renew(challenge, used)
        except WherryError:
            response.close()
            raise
        if not authorization or authorization == used:
            return response
        response.close()
        return self._follow(request, authorization)

    def _renew(self, challenge: auth.Challenge, used: str) -> str:
        """A new Authorization, unless another thread has just got one; empty when there are no credentials to give."""
        with self._lock:
            if self._authorization != used:
                return self._authorization
            if not self._asked:
                self._credentials, self._asked = self.setup.credentials(), True
            if challenge.scheme == "basic":
                self._authorization = self._credentials.basic() if self._credentials else ""
            else:
                wanted = auth.TokenRequest(
                    registry=self.setup.base,
                    challenge=challenge,
                    scope=self.setup.scope,
                    credentials=self._credentials,
                    token_hosts=self.setup.token_hosts,
                )
                self._authorization = auth.bearer(self.setup.http, wanted)
            return self._authorization

    def _follow(self, request: Request, authorization: str) -> Response:
        """Sends, and follows redirects by hand: the Authorization header is added for the registry's own origin alone."""
        asked = request
        for _ in range(REDIRECTS + 1):
            own = url.same_origin(asked.url, self.setup.base)
            headers = (*request.headers, ("Authorization", authorization)) if own and authorization else request.headers
            response = self.setup.http(msgspec.structs.replace(asked, headers=headers))
            if response.status not in _MOVED or request.method not in ("GET", "HEAD"):
                return response
            location = response.header("Location")
            response.close()
            asked = msgspec.structs.replace(asked, url=url.joined(asked.url, location))
        raise errors.odd(request.url, f"it redirects more than {REDIRECTS} times")

    def wait(self, number: int, told: str = "") -> None:
        """Pauses before the next try, and says so."""
        seconds = waiting(number, told, random.random())  # noqa: S311 - spreads tries, protects nothing
        host = urlsplit(self.setup.base).netloc
        self.setup.events(Event(phase="push", state="note", subject=f"{host} asks to wait", seconds=seconds))
        self.setup.pause(seconds)


def waiting(number: int, told: str, chance: float) -> float:
    """Seconds before try `number` + 2: a doubling time with jitter, at least what Retry-After says in whole seconds,
    at most a minute.

    Dates, fractions and other units in Retry-After are not believed (trivy-db #442).
    """
    own = 0.5 * 2.0**number * (1 + chance)
    asked = float(told) if told.isascii() and told.isdecimal() and len(told) < 10 else 0.0
    return min(LONGEST_WAIT, max(own, asked))
