"""Requests to one registry: who we are, redirects, and trying again. A request in, an answer out; touches the network
through its port.

Credentials and tokens go to the registry's own origin only, whatever an answer says (D02, D03, D05). What another
try may change is tried again, for a bounded number of times and a bounded time in all, waiting longer each time (C01);
what it will not is given back at once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from wherry.errors import UnavailableError, WherryError
from wherry.kit.ports import Early, Event, Events, Http, Records, Request, Response
from wherry.kit.streams import read_limited
from wherry.kit.value import Value
from wherry.store.registry import auth, errors, url
from wherry.store.registry.account import Credentials
from wherry.store.registry.kept import Kept
from wherry.store.registry.known import Facts, Known
from wherry.store.registry.tokens import Asker, Tokens

TRIES: Final = 5
REDIRECTS: Final = 5
LONGEST_WAIT: Final = 60.0
#: Errors of the Http port that another try may mend.
PASSING: Final = ("unreachable", "no-answer", "connection-lost")
#: Answers by which a registry asks all of us to slow down.
LIMITED: Final = (429, 503)
_MOVED = (301, 302, 303, 307, 308)
_SAME_METHOD = (307, 308)


class Setup(Value, frozen=True, kw_only=True):
    """How to reach one registry."""

    http: Http
    base: str
    scope: str
    """What is to be done: `repository:NAME:pull` or `repository:NAME:pull,push`; several are parted by a space."""
    credentials: Callable[[], Credentials | None]
    """Asked at the first 401: a helper may take a second, and many registries never ask."""
    pause: Callable[[float], None]
    elapsed: Callable[[], float]
    """Monotonic seconds."""
    now: Callable[[], float]
    events: Events
    early: Early
    known: Known
    kept: Kept
    """The run's credentials and tokens."""
    records: Records | None = None
    token_hosts: tuple[tuple[str, str], ...] = ()


class Session:
    """Safe to use from several threads."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.tokens = Tokens(
            Asker(
                http=self._steadily,
                base=setup.base,
                scope=setup.scope,
                credentials=setup.credentials,
                elapsed=setup.elapsed,
                kept=setup.kept,
                token_hosts=setup.token_hosts,
            )
        )
        self._foretold = False
        self._lock = threading.Lock()

    @property
    def facts(self) -> Facts:
        """What is known of this registry."""
        return self.setup.known.facts(self.setup.base, self.setup.records, self.setup.now)

    def learn(self, **facts: str | bool | int) -> None:
        """Remembers what this registry can do."""
        self.setup.known.learn(self.setup.base, self.setup.records, **facts)

    def send(self, request: Request) -> Response:
        """The answer, whatever its status but 401 when we can do something about it. Redirects are followed."""
        return self._patiently(lambda: (self._authorized(request), b""))[0]

    def whole(self, request: Request, *, limit: int, name: str) -> tuple[Response, bytes]:
        """The answer and, of a 200, its whole body, closed; asked again when it breaks off. CorruptError [too-large]."""

        def attempt() -> tuple[Response, bytes]:
            response = self._authorized(request)
            if response.status != 200:
                return response, b""
            try:
                return response, read_limited(response, limit=limit, name=name)
            finally:
                response.close()

        return self._patiently(attempt)

    def once(self, request: Request) -> Response:
        """As `send`, without trying again: for uploads, which go on from where they broke."""
        self._hold()
        return self._authorized(request)

    def _patiently(self, attempt: Callable[[], tuple[Response, bytes]]) -> tuple[Response, bytes]:
        for number in range(TRIES):
            last = number == TRIES - 1
            self._hold()
            try:
                response, data = attempt()
            except UnavailableError as error:
                if error.name not in PASSING or last or not self.wait(number):
                    raise
                continue
            if not passing(response) or last or not self.wait(number, response):
                return response, data
            response.close()
        raise AssertionError("a last try always ends")

    def _hold(self) -> None:
        """Waits while the registry wants to be left alone, whichever thread it told so."""
        left = self.setup.known.left(self.setup.base, self.setup.elapsed())
        if left > 0:
            self.setup.pause(left)

    def wait(self, number: int, answer: Response | None = None) -> bool:
        """Pauses before the next try, and says so; False when this run has waited for this registry long enough."""
        told = answer.header("Retry-After") if answer else ""
        seconds = waiting(number, told, random.random())  # noqa: S311 - spreads tries, protects nothing
        known, host = self.setup.known, urlsplit(self.setup.base).netloc
        if not known.may_wait(self.setup.base, seconds):
            return False
        limited = answer is not None and (answer.status in LIMITED or bool(told))
        said = f"{host} asks to wait" if limited else f"{host} is asked again"
        self.setup.events(Event(phase="push", state="note", subject=said, seconds=seconds))
        if limited:
            known.hold(self.setup.base, seconds, self.setup.elapsed())
        self.setup.pause(seconds)
        return True

    def _authorized(self, request: Request) -> Response:
        self._foretell()
        used = self.tokens.known()
        response = self._follow(request, used)
        if response.status != 401 or not url.same_origin(request.url, self.setup.base):
            return response
        challenge = auth.challenge(response)
        if challenge is None:
            return response
        self.learn(scheme=challenge.scheme, realm=challenge.realm, service=challenge.service)
        try:
            authorization = self.tokens.renewed(challenge, used)
            if authorization and authorization != used:
                response.close()
                response = self._follow(request, authorization)
            if response.status == 401 and (wrong := self.tokens.refused()):
                raise wrong
        except WherryError:
            response.close()
            raise
        return response

    def _foretell(self) -> None:
        """Answers the challenge that this registry gave another run, before it is asked: two round trips less. What goes wrong
        here is of no matter: the registry asks again."""
        with self._lock:
            first, self._foretold = not self._foretold, True
        facts = self.facts
        if not first or not facts.scheme:
            return
        try:
            self.tokens.renewed(auth.Challenge(scheme=facts.scheme, realm=facts.realm, service=facts.service), "")
        except WherryError:
            self.learn(scheme="", realm="", service="")

    def _steadily(self, request: Request, /) -> Response:
        """To the token server, with the same patience."""
        return self._patiently(lambda: (self.setup.http(request), b""))[0]

    def _follow(self, request: Request, authorization: str) -> Response:
        """Sends, and follows redirects by hand: the Authorization header is added for the registry's own origin alone."""
        asked = request
        for _ in range(REDIRECTS + 1):
            own = url.same_origin(asked.url, self.setup.base)
            headers = (*request.headers, ("Authorization", authorization)) if own and authorization else request.headers
            response = self.setup.http(msgspec.structs.replace(asked, headers=headers))
            if response.status not in _MOVED:
                return response
            if request.method not in ("GET", "HEAD") and response.status not in _SAME_METHOD:
                return response
            location = response.header("Location")
            response.close()
            asked = msgspec.structs.replace(asked, url=url.joined(asked.url, location))
        raise errors.odd(request.url, f"it redirects more than {REDIRECTS} times")


def passing(response: Response) -> bool:
    """True for what another try may change. Some registries say 403 and when to come again (GitHub's second limit)."""
    return response.status in errors.PASSING or (response.status == 403 and bool(response.header("Retry-After")))


def waiting(number: int, told: str, chance: float) -> float:
    """Seconds before try `number` + 2: a doubling time with jitter, at least what Retry-After says in whole seconds,
    at most a minute.

    Dates, fractions and other units in Retry-After are not believed (trivy-db #442).
    """
    own = 0.5 * 2.0**number * (1 + chance)
    asked = float(told) if told.isascii() and told.isdecimal() and len(told) < 10 else 0.0
    return min(LONGEST_WAIT, max(own, asked))
