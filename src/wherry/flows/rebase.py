"""A published image on a new base, without a rebuild. Names in, the new image's place out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from wherry.assemble import needs
from wherry.assemble import rebase as rebasing
from wherry.assemble.rebase import Basis, Move, image_for, rebased
from wherry.cache.blobs import Blobs
from wherry.cache.records import Records
from wherry.errors import RefusedError, WherryError
from wherry.flows import changed
from wherry.flows.changed import Changed
from wherry.flows.copy import copy_ports, opened, place_of, refuse_incomplete, settled
from wherry.flows.folders import folders_of
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.model.image import Layer, Stored, StoredImage
from wherry.oci import reference as references
from wherry.oci.config import RunConfig
from wherry.oci.descriptor import Descriptor
from wherry.store import place as places
from wherry.store.baselayer import LayerSource, Shelf
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
        keeper, stored = opened(source, ports)
        source = settled(source, stored)
        refuse_incomplete(stored)
        old_places, new_place = base_places(stored, request)
        new_keeper = at(new_place, ports)
        new = new_keeper.open()
        move = Move(
            old=old_basis(old_places, ports),
            new=basis(new_place, new),
            created=changed.created_now(machine),
        )
        revised = rebased(stored, move)
        check_needs(stored, move, Sources(own=keeper, base=new_keeper), Workshop(ports, machine))
        content = both(keeper, changed.become(stored, revised), new_keeper, new)
        wanted = changed.targets(request.places, source, content.digest)
        return changed.report(stored, revised, changed.put(content, wanted, source, ports))


class Sources(NamedTuple):
    """Where layers are."""

    own: Keeper
    base: Keeper


class Workshop:
    """Layers as files, kept from run to run, and a folder for this one."""

    def __init__(self, ports: Ports, machine: Machine) -> None:
        folders = folders_of(machine)
        kept = Blobs(folders, Records(folders))
        self.shelf = Shelf(kept, kept.records, Path(ports.scratch))
        self.place = (Path(ports.scratch), kept.records)


def check_needs(stored: Stored, move: Move, sources: Sources, shop: Workshop) -> None:
    """Reads every image's own layers; RefusedError when one of them needs what the new base does not have, CorruptError when a
    layer is not what it says."""
    for image in stored.images:
        below, new = image_for(move.old, image.platform), image_for(move.new, image.platform)
        count = len(image.layers) - len(rebasing.own_layers(image, move.old))
        own = LayerSource(blob=sources.own.blob)
        layers = _layers(image, own, shop, first=count)
        lazy = LayerSource(blob=sources.base.blob, lazy=True)
        base = Base(name=move.new.name, platform=image.platform, layers=_layers(new, lazy, shop), config=new.settings)
        needs.check(image, layers, below.settings.config or RunConfig(), base, shop.place)


def _layers(image: StoredImage, source: LayerSource, shop: Workshop, *, first: int = 0) -> tuple[Layer, ...]:
    pairs = zip(image.layers, image.settings.rootfs.diff_ids, strict=True)
    return tuple(shop.shelf.layer(source, *pair) for pair in tuple(pairs)[first:])


def base_places(stored: Stored, request: RebaseRequest) -> tuple[tuple[places.Place, ...], places.Place]:
    """The old base, where each image may name its own part of it, and the new one. RefusedError [no-base] when neither the image
    nor the user says which they are."""
    name, digests = rebasing.base_of(stored)
    said = references.parse(name) if name else None
    old: tuple[places.Place, ...] = ()
    if request.old_base:
        old = (place_of(request.old_base),)
    elif said:
        old = tuple(places.RegistryPlace(reference=replace(said, digest=digest)) for digest in digests)
    if not old:
        raise RefusedError(
            "no-base",
            "nothing says which base this image stands on",
            where=stored.reference,
            why="it has no annotation org.opencontainers.image.base.name and .digest",
            next=f"wherry rebase {request.subject} --old-base REF --base REF",
        )
    if request.base:
        return old, place_of(request.base)
    if said is None or not said.tag:
        step = f"wherry rebase {request.subject} --base REF"
        raise RefusedError("no-base", "nothing says which base is the new one", next=step)
    return old, places.RegistryPlace(reference=replace(said, digest=None))


def basis(place: places.Place, stored: Stored) -> Basis:
    """What `place` holds, as a base."""
    reference = ""
    if isinstance(place, places.RegistryPlace):
        reference = str(replace(place.reference, digest=None))
    return Basis(name=str(place), reference=reference, descriptor=stored.descriptor, images=stored.images)


def old_basis(where: tuple[places.Place, ...], ports: Ports) -> Basis:
    """All that the images say they stand on, as one base."""
    found = tuple(basis(place, _old(place, ports)) for place in where)
    return replace(found[0], images=tuple(image for one in found for image in one.images))


def both(keeper: Keeper, stored: Stored, base: Keeper, new: Stored) -> Content:
    """The image's own blobs from where it is, the base's from where that is."""
    below = {layer.digest for image in new.images for layer in image.layers}

    def from_either(descriptor: Descriptor) -> Iterator[bytes]:
        return (base if descriptor.digest in below else keeper).blob(descriptor)

    def moved(blob: Blob) -> Blob:
        origins = (*blob.origins, *((new.origin,) if new.origin else ()))
        return replace(blob, origins=origins) if blob.digest in below else blob

    content = content_from(keeper, stored)
    return replace(content, open=from_either, blobs=tuple(map(moved, content.blobs)))


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
