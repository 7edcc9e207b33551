"""The Authorization header of one registry's requests. Challenges in, headers out; asks helpers and token servers when it must.

A header is made at the first challenge, kept for all sessions of the run, and renewed before it ends: a push outlives its
token (C04).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from msgspec.structs import replace

from wherry.errors import UnavailableError, WherryError
from wherry.kit.ports import Http
from wherry.kit.value import Value
from wherry.store.registry import auth
from wherry.store.registry.account import Credentials
from wherry.store.registry.auth import Challenge
from wherry.store.registry.kept import Kept, Token

#: A token is renewed this much of its life before its end, at most so many seconds.
MARGIN: Final = (0.1, 15.0)


class Asker(Value, frozen=True, kw_only=True):
    """Who asks one registry, and by which ports."""

    http: Http
    """To token servers; tries again by itself what another try may mend."""
    base: str
    """The registry's base URL."""
    scope: str
    """`repository:NAME:pull,push`; several are parted by a space, the one that matters first."""
    credentials: Callable[[], Credentials | None]
    """Asked at the first challenge: a helper may take a second, and many registries never challenge."""
    elapsed: Callable[[], float]
    kept: Kept
    token_hosts: tuple[tuple[str, str], ...] = ()


class Tokens:
    """Safe to use from several threads. `known` before a request, `renewed` after a 401."""

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self._challenge: Challenge | None = None

    def known(self) -> str:
        """The header for the next request; a new one when the last is about to end. Empty before the first challenge."""
        found = self._challenge
        return self._header(found, "") if found is not None else ""

    def renewed(self, challenge: Challenge, used: str) -> str:
        """The header that answers `challenge`, another one than `used` where there is one; empty when there is nobody to be."""
        self._challenge = challenge
        return self._header(challenge, used)

    def foretold(self, challenge: Challenge) -> bool:
        """Takes a challenge that the registry gave once; False when it cannot be met."""
        try:
            self.renewed(challenge, "")
        except WherryError:
            self._challenge = None
        return self._challenge is not None

    def refused(self) -> UnavailableError | None:
        """The error for a 401 to the best header there is: that nobody is logged in, or that the password is wrong. None when the
        token server knew us: the account is right, and may not do this."""
        if self._challenge is None:
            return None
        account = self.asker.credentials()
        if account is None:
            return auth.nobody(self.asker.base, self.asker.scope)
        known = self._challenge.scheme == "bearer" and account.kind != "registry"
        return None if known else auth.wrong_password(self.asker.base, account)

    def _header(self, challenge: Challenge, used: str) -> str:
        asker, account = self.asker, self.asker.credentials()
        if account is not None and account.kind == "registry":
            return f"Bearer {account.secret.reveal()}"
        if challenge.scheme == "basic":
            return account.basic() if account is not None and account.kind == "password" else ""
        key: Hashable = (asker.base, asker.scope, account)
        good = asker.kept.token(key, asker.elapsed())
        if good and good != used:
            return good
        return asker.kept.renewed(key, used, asker.elapsed(), lambda: self._fetch(challenge, account))

    def _fetch(self, challenge: Challenge, account: Credentials | None) -> Token:
        """A token for every scope; where a token server gives none because of the lesser ones (a repository to mount from),
        one for the first alone (Harbor, ko #151)."""
        asker = self.asker
        wanted = auth.TokenRequest(
            registry=asker.base,
            challenge=challenge,
            scopes=auth.scopes_of(asker.scope, challenge.scope),
            credentials=account,
            token_hosts=asker.token_hosts,
        )
        begin = asker.elapsed()
        try:
            answer = auth.bearer(asker.http, wanted)
        except UnavailableError as error:
            first = auth.scopes_of(asker.scope.partition(" ")[0], "")
            if error.name not in ("registry-denied", "registry-refused", "wrong-password") or wanted.scopes == first:
                raise
            answer = auth.bearer(asker.http, replace(wanted, scopes=first))
        share, most = MARGIN
        until = begin + answer.seconds - min(answer.seconds * share, most)
        return Token(header=auth.header(answer.token), until=until)
