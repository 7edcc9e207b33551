"""The table of places: one row each. A Place and the ports in, its Keeper out; touches nothing."""

from __future__ import annotations

from wherry.store.keeper import Keeper, Ports
from wherry.store.layout import Layout
from wherry.store.own import Own
from wherry.store.place import LayoutPlace, OwnPlace, Place


def at(place: Place, ports: Ports) -> Keeper:
    """The keeper of `place`."""
    match place:
        case LayoutPlace():
            return Layout(place)
        case OwnPlace():
            return Own(place, ports.data)
        case _:
            raise NotImplementedError(place)
