"""A name or place in, the image found there out."""

from __future__ import annotations

import msgspec

from wherry.flows.rooms import store_ports
from wherry.kit.ports import Machine
from wherry.model.image import Stored
from wherry.oci import platform as platforms
from wherry.oci import reference as references
from wherry.store import place as places
from wherry.store.choose import stored_for
from wherry.store.places import at


def inspect(subject: str, platform: str, machine: Machine) -> Stored:
    """The image at `subject`: a place, else a name in wherry's own store. `platform` chooses one of an index."""
    with store_ports(machine) as ports:
        stored = at(place_of(subject), ports).open()
    if not platform:
        return stored
    return msgspec.structs.replace(stored, images=(stored_for(stored, platforms.parse(platform)),))


def place_of(subject: str) -> places.Place:
    """`SCHEME:...` as a place; anything else is a name in wherry's own store."""
    scheme, colon, _ = subject.partition(":")
    if colon and scheme in places.SCHEMES:
        return places.parse(subject)
    return places.OwnPlace(reference=references.parse(subject))
