"""What one run holds of credentials and tokens, in memory alone. Keys in, what was made for them out; touches nothing.

One for all sessions of a run: a helper may take a second, and a token is good for more than one session. Never written down,
never shown (D09).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from wherry.kit.secret import Secret
from wherry.kit.value import Value

if TYPE_CHECKING:
    from wherry.store.registry.account import Credentials


class Token(Value, frozen=True, kw_only=True):
    """An Authorization header's value."""

    header: Secret
    until: float
    """On the monotonic clock: when to ask for another one."""


class Kept:
    """Safe to use from several threads; what takes time is made once, while others who want the same wait."""

    def __init__(self) -> None:
        self._credentials: dict[tuple[str, str], Credentials | None] = {}
        self._tokens: dict[Hashable, Token] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def credentials(self, key: tuple[str, str], find: Callable[[], Credentials | None]) -> Credentials | None:
        """What `find` says for a host and repository; asked once, also when it finds nothing."""
        with self._only(key):
            if key not in self._credentials:
                self._credentials[key] = find()
            return self._credentials[key]

    def token(self, key: Hashable, now: float) -> str:
        """The header's value while it is good; else empty."""
        found = self._tokens.get(key)
        return found.header.reveal() if found is not None and now < found.until else ""

    def renewed(self, key: Hashable, used: str, now: float, make: Callable[[], Token]) -> str:
        """Another header than `used`, made unless another thread has just done so."""
        with self._only(key):
            found = self._tokens.get(key)
            if found is None or now >= found.until or found.header.reveal() == used:
                found = self._tokens[key] = make()
            return found.header.reveal()

    def forget(self, key: Hashable) -> None:
        """The token turned out to be no good."""
        self._tokens.pop(key, None)

    def _only(self, key: Hashable) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())
