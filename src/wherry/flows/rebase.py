"""A published image on a new base, without a rebuild. Names in, the new image's place out."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from wherry.assemble import rebase as rebasing
from wherry.assemble.rebase import Basis, Move, rebased
from wherry.errors import RefusedError, WherryError
from wherry.flows import changed
from wherry.flows.changed import Changed
from wherry.flows.copy import copy_ports, place_of, refuse_incomplete
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.image import Stored
from wherry.oci import reference as references
from wherry.oci.descriptor import Descriptor
from wherry.store import place as places
from wherry.store.content import Blob, Content, content_from
from wherry.store.keeper import Keeper, Ports
from wherry.store.places import at


class RebaseRequest(Value, frozen=True, kw_only=True):
    """One `wherry rebase`."""

    subject: str
    base: str = ""
    """The new base; empty: what the old one's name means now."""
    old_base: str = ""
    """Empty: what the image's annotations say."""
    places: tuple[str, ...] = ()
    """Where the new image goes; none: where the old one is, under its name."""


def rebase(request: RebaseRequest, machine: Machine) -> Changed:
    """Moves an image from its old base to a new one; its own layers stay, the digest is new."""
    source = place_of(request.subject)
    with copy_ports(machine) as ports:
        keeper = at(source, ports)
        stored = keeper.open()
        refuse_incomplete(stored)
        old_place, new_place = base_places(stored, request)
        new_keeper = at(new_place, ports)
        new = new_keeper.open()
        move = Move(
            old=basis(old_place, _old(old_place, ports)),
            new=basis(new_place, new),
            created=changed.created_now(machine),
        )
        revised = rebased(stored, move)
        content = both(keeper, changed.become(stored, revised), new_keeper, new)
        wanted = changed.targets(request.places, source, content.digest)
        return changed.report(stored, revised, changed.put(content, wanted, ports))


def base_places(stored: Stored, request: RebaseRequest) -> tuple[places.Place, places.Place]:
    """The old base and the new one. RefusedError [no-base] when neither the image nor the user says which the old one is."""
    name, digest = rebasing.base_of(stored)
    if not request.old_base and not (name and digest):
        raise RefusedError(
            "no-base",
            "nothing says which base this image stands on",
            where=stored.reference,
            why="it has no annotation org.opencontainers.image.base.name and .digest",
            next=f"wherry rebase {request.subject} --old-base REF --base REF",
        )
    said = references.parse(name) if name else None
    recorded = places.RegistryPlace(reference=replace(said, digest=digest)) if said else None
    old = place_of(request.old_base) if request.old_base else recorded
    assert old is not None
    if request.base:
        return old, place_of(request.base)
    if said is None or not said.tag:
        raise RefusedError(
            "no-base", "nothing says which base is the new one", next=f"wherry rebase {request.subject} --base REF"
        )
    return old, places.RegistryPlace(reference=replace(said, digest=None))


def basis(place: places.Place, stored: Stored) -> Basis:
    """What `place` holds, as a base."""
    reference = ""
    if isinstance(place, places.RegistryPlace):
        reference = str(replace(place.reference, digest=None))
    return Basis(name=str(place), reference=reference, descriptor=stored.descriptor, images=stored.images)


def both(keeper: Keeper, stored: Stored, base: Keeper, new: Stored) -> Content:
    """The image's own blobs from where it is, the base's from where that is."""
    below = {layer.digest for image in new.images for layer in image.layers}

    def opened(descriptor: Descriptor) -> Iterator[bytes]:
        return (base if descriptor.digest in below else keeper).blob(descriptor)

    def moved(blob: Blob) -> Blob:
        origins = (*blob.origins, *((new.origin,) if new.origin else ()))
        return replace(blob, origins=origins) if blob.digest in below else blob

    content = content_from(keeper, stored)
    return replace(content, open=opened, blobs=tuple(map(moved, content.blobs)))


def _old(place: places.Place, ports: Ports) -> Stored:
    """The old base's documents; when they are gone, another way is named."""
    try:
        return at(place, ports).open()
    except WherryError as error:
        if error.name not in ("registry-not-found", "no-such-image"):
            raise
        raise RefusedError(
            "no-base",
            f"the old base is not at {place} any more",
            why=error.message,
            next="name a place that still has it: --old-base PLACE",
        ) from error
