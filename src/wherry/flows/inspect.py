"""A name or place in, the image found there out."""

from __future__ import annotations

import msgspec

from wherry.errors import UsageError
from wherry.flows.loaded import loaded
from wherry.flows.rooms import store_ports
from wherry.kit.ports import Machine
from wherry.model.image import Stored
from wherry.oci import platform as platforms
from wherry.oci import reference as references
from wherry.store import place as places
from wherry.store.choose import stored_for
from wherry.store.keeper import Ports
from wherry.store.places import at


def inspect(subject: str, platform: str, machine: Machine) -> Stored:
    """The image at `subject`: a place, else a name in wherry's own store, in an engine, or in the registry whose host it has.
    `platform` chooses one of an index."""
    with store_ports(machine) as ports:
        stored = _opened(place_of(subject), ports)
    if not platform:
        return stored
    return msgspec.structs.replace(stored, images=(stored_for(stored, platforms.parse(platform)),))


def _opened(place: places.Place, ports: Ports) -> Stored:
    try:
        return at(place, ports).open()
    except UsageError as error:
        if error.name != "no-such-image" or not isinstance(place, places.OwnPlace) or place.reference is None:
            raise
        return _beyond(place.reference, ports, error)


def _beyond(reference: references.Reference, ports: Ports, missing: UsageError) -> Stored:
    """A name that wherry's store does not hold may be in an engine, or in its registry."""
    if found := loaded(reference, ports):
        return found[1]
    if reference.host:
        return at(places.RegistryPlace(reference=references.in_registry(reference)), ports).open()
    raise missing


def place_of(subject: str) -> places.Place:
    """`SCHEME:...` as a place; anything else is a name in wherry's own store."""
    scheme, colon, _ = subject.partition(":")
    if colon and scheme in places.SCHEMES:
        return places.parse(subject)
    return places.OwnPlace(reference=references.parse(subject))
