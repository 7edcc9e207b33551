"""A name or place in, the image found there out."""

from __future__ import annotations

import msgspec

from wherry.errors import UsageError, WherryError
from wherry.flows.rooms import store_ports
from wherry.kit.ports import Machine
from wherry.model.image import Stored
from wherry.oci import platform as platforms
from wherry.oci import reference as references
from wherry.store import place as places
from wherry.store.choose import stored_for
from wherry.store.engine import detect
from wherry.store.keeper import Ports
from wherry.store.places import at


def inspect(subject: str, platform: str, machine: Machine) -> Stored:
    """The image at `subject`: a place, else a name in wherry's own store. `platform` chooses one of an index."""
    with store_ports(machine) as ports:
        stored = _opened(place_of(subject), ports)
    if not platform:
        return stored
    return msgspec.structs.replace(stored, images=(stored_for(stored, platforms.parse(platform)),))


def _opened(place: places.Place, ports: Ports) -> Stored:
    """A name that wherry's store does not hold may be in the engine that a bare build loads into."""
    try:
        return at(place, ports).open()
    except UsageError as error:
        engine = detect.default(ports) if error.name == "no-such-image" and isinstance(place, places.OwnPlace) else None
        if engine is None or not isinstance(place, places.OwnPlace):
            raise
        try:
            return at(places.EnginePlace(engine=engine.scheme, reference=place.reference), ports).open()
        except WherryError:
            raise error from None


def place_of(subject: str) -> places.Place:
    """`SCHEME:...` as a place; anything else is a name in wherry's own store."""
    scheme, colon, _ = subject.partition(":")
    if colon and scheme in places.SCHEMES:
        return places.parse(subject)
    return places.OwnPlace(reference=references.parse(subject))
