"""What is known of each registry: until when it wants to be left alone, and what it can do. Addresses in, facts out; keeps a
short-lived record from run to run where it is given one.

One for all sessions of a run: a registry that limits how often it is asked limits all threads together (C01). A fact saves a
round trip and is never needed: an outdated one costs one more. No secret is among them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from wherry.kit.ports import Records
from wherry.kit.value import Value, decodable

#: Seconds that facts are believed in another run.
FRESH: Final = 3600.0
#: Seconds of waiting for one registry in one run; after them the first failure is the last.
MOST_WAITING: Final = 600.0


class Facts(Value, frozen=True, kw_only=True):
    """What a registry did when it was last asked. None: nobody asked yet."""

    scheme: str = ""
    """How it wants to know who asks: bearer, basic, or empty."""
    realm: str = ""
    service: str = ""
    referrers: bool | None = None
    """It has the referrers API."""
    head: bool | None = None
    """It refused HEAD where it answered GET, if false."""
    chunk: int = 0
    """It refused a whole blob as too large: uploads go in chunks of so many bytes; 0: whole."""
    since: float = 0.0
    """Unix time of the oldest of these facts."""


class Known:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._until: dict[str, float] = {}
        self._waited: dict[str, float] = {}
        self._lock = threading.Lock()

    def hold(self, base: str, seconds: float, now: float) -> None:
        """Nobody asks `base` for so long, beginning at `now` (monotonic seconds)."""
        with self._lock:
            self._until[base] = max(self._until.get(base, 0.0), now + seconds)

    def left(self, base: str, now: float) -> float:
        """Seconds until `base` may be asked again."""
        with self._lock:
            return max(0.0, self._until.get(base, 0.0) - now)

    def may_wait(self, base: str, seconds: float) -> bool:
        """True while this run's whole time of waiting for `base` is not used up; counts `seconds` as waited."""
        with self._lock:
            self._waited[base] = self._waited.get(base, 0.0) + seconds
            return self._waited[base] <= MOST_WAITING

    def facts(self, base: str, records: Records | None, now: Callable[[], float]) -> Facts:
        """What is known of `base`; what another run wrote down if it is fresh enough."""
        with self._lock:
            if base not in self._facts:
                kept = _read(records, base)
                fresh = 0 <= now() - kept.since < FRESH
                self._facts[base] = kept if fresh else Facts(since=now())
            return self._facts[base]

    def learn(self, base: str, records: Records | None, **facts: str | bool | int) -> None:
        """Adds what a registry has just shown."""
        with self._lock:
            old = self._facts.get(base, Facts())
            new = replace(old, **facts)
            self._facts[base] = new
            if new != old and records is not None and new.since:
                records.put(_key(base), msgspec.json.encode(new))


def _key(base: str) -> str:
    return "registry-" + hashlib.sha256(f"1 {base}".encode()).hexdigest()


def _read(records: Records | None, base: str) -> Facts:
    data = records.get(_key(base)) if records is not None else None
    try:
        found = msgspec.json.decode(data, type=decodable(Facts)) if data else Facts()
    except (msgspec.MsgspecError, ValueError):
        return Facts()
    return found if found.chunk >= 0 else Facts()
