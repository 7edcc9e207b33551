"""Where a verdict's cause is in the sources. Verdicts and what the sources show in, verdicts with places out; pure.

What was seen of the container is evidence; what the sources show is a conclusion or a guess, and is told as such.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from wherry.kit.value import Value
from wherry.model.plan import Decision
from wherry.model.project import Inferred
from wherry.model.verdict import Verdict


class Sources(Value, frozen=True, kw_only=True):
    """What is known of a package's sources; nothing of an image."""

    inferred: tuple[Inferred, ...] = ()
    decisions: tuple[Decision, ...] = ()
    """Of the plan: who said the health route, the ports, the user."""
    ready: str = ""
    """Where the readiness route was found, when nobody said it."""

    def of(self, *kinds: str) -> tuple[Inferred, ...]:
        """Facts of these kinds, in the order of the kinds."""
        return tuple(one for kind in kinds for one in self.inferred if one.kind == kind)

    def said(self, name: str) -> Decision | None:
        """The decision of that name that has a place."""
        return next((one for one in self.decisions if one.name == name and one.place), None)


def placed(verdicts: tuple[Verdict, ...], sources: Sources) -> tuple[Verdict, ...]:
    """The verdicts; each FAIL that the sources know something of has places."""
    return tuple(_placed(one, sources) if one.outcome == "FAIL" else one for one in verdicts)


def _placed(verdict: Verdict, sources: Sources) -> Verdict:
    rows = _PLACES[verdict.check](sources) if verdict.check in _PLACES else ()
    guess = (f"the route is a guess from {sources.ready}",) if verdict.check == "ready" and sources.ready else ()
    return replace(verdict, where=(*verdict.where, *rows), concluded=(*verdict.concluded, *guess))


def _server(sources: Sources) -> tuple[str, ...]:
    """Where it starts to listen."""
    found = sources.of("port", "loopback-port")[:2]
    return tuple(f"{one.place} listens on {one.value}{_guess(one)}" for one in found)


def _loopback(sources: Sources) -> tuple[str, ...]:
    found = sources.of("loopback-port", "port")[:2]
    only = {"loopback-port": ", from inside alone"}
    return tuple(f"{one.place} listens on {one.value}{only.get(one.kind, '')}{_guess(one)}" for one in found)


def _stop(sources: Sources) -> tuple[str, ...]:
    """The handler of the signal, or where the server is started without one."""
    found = sources.of("graceful-stop")
    if found:
        words = {"signal": "hears of signals", "shutdown": "calls Shutdown"}
        return tuple(f"{one.place} {words.get(one.value, one.value)}" for one in found[:2])
    server = sources.of("port", "loopback-port", "plain-http", "tls")[:1]
    return tuple(f"{one.place} starts the server; no signal handler found" for one in server)


def _health(sources: Sources) -> tuple[str, ...]:
    said = sources.said("health")
    return (f"{said.place} {said.value}{', a guess' if said.origin == 'guess' else ''}",) if said else ()


def _ready(sources: Sources) -> tuple[str, ...]:
    return (f"{sources.ready} the readiness route",) if sources.ready else ()


def _user(sources: Sources) -> tuple[str, ...]:
    said = sources.said("user")
    return (f"{said.place} user {said.value}",) if said else ()


def _guess(one: Inferred) -> str:
    return ", a guess" if one.certainty == "guess" else ""


_PLACES: Final[dict[str, Callable[[Sources], tuple[str, ...]]]] = {
    "start": _server,
    "health": _health,
    "ready": _ready,
    "ports": _loopback,
    "drain": _stop,
    "user": _user,
}
