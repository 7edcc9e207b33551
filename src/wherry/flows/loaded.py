"""An image by the name that an engine knows it by: a name in, where it is and what it is out; asks the engines that answer."""

from __future__ import annotations

import contextlib

from wherry.errors import WherryError
from wherry.model.image import Stored
from wherry.oci.reference import Reference
from wherry.store import place as places
from wherry.store.engine import detect
from wherry.store.keeper import Ports
from wherry.store.places import at


def loaded(reference: Reference, ports: Ports) -> tuple[places.EnginePlace, Stored] | None:
    """Of the first engine that has one, in the order in which a bare build looks for them."""
    for engine in detect.engines(ports):
        place = places.EnginePlace(engine=engine.scheme, reference=reference)
        if engine.loads:
            with contextlib.suppress(WherryError):
                return place, at(place, ports).open()
    return None
