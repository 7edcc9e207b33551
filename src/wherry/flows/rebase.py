"""A published image on a new base, without a rebuild. Names in, the new image's place out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from wherry.assemble import needs
from wherry.assemble import rebase as rebasing
from wherry.assemble.rebase import Move, image_for, rebased
from wherry.flows import changed, grounds
from wherry.flows.changed import Changed
from wherry.flows.copy import copy_ports, opened, place_of, refuse_incomplete, settled
from wherry.flows.grounds import Workshop
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.model.image import Stored
from wherry.oci.config import RunConfig
from wherry.oci.descriptor import Descriptor
from wherry.store.baselayer import LayerSource
from wherry.store.content import Blob, Content, Open, content_from
from wherry.store.keeper import Keeper


class RebaseRequest(Value, frozen=True, kw_only=True):
    """One `wherry rebase`."""

    subject: str
    base: str = ""
    """The new base; empty: what the old one's name means now."""
    old_base: str = ""
    """Empty: what the image's annotations say."""
    places: tuple[str, ...] = ()
    """Where the new image goes; none: where the old one is, under its name."""

    @property
    def words(self) -> grounds.Words:
        """What was said of bases."""
        return grounds.Words(subject=self.subject, base=self.base, old_base=self.old_base)


def rebase(request: RebaseRequest, machine: Machine) -> Changed:
    """Moves an image from its old base to a new one; its own layers stay, the digest is new."""
    source = place_of(request.subject)
    with copy_ports(machine) as ports:
        keeper, stored = opened(source, ports)
        source = settled(source, stored)
        refuse_incomplete(stored)
        rebasing.only_images(stored)
        shop = Workshop(ports, machine)
        old, ground = grounds.found(stored, request.words, keeper.blob, shop)
        move = Move(old=old, new=ground.basis, created=changed.created_now(machine))
        revised = rebased(stored, move)
        check_needs(stored, move, Sources(own=keeper.blob, base=ground.blob), shop)
        content = both(keeper, changed.become(stored, revised), ground)
        left = changed.left_behind(source, stored, revised, ports)
        told = changed.report(stored, revised, changed.put(content, request.places, source, stored, ports), left)
        return replace(told, bases=(str(move.old), str(move.new)))


class Sources(NamedTuple):
    """Where layers are."""

    own: Open
    base: Open


def check_needs(stored: Stored, move: Move, sources: Sources, shop: Workshop) -> None:
    """Reads every image's own layers; RefusedError when one of them needs what the new base does not have, CorruptError when a
    layer is not what it says."""
    for image in stored.images:
        below, new = image_for(move.old, image.platform), image_for(move.new, image.platform)
        count = len(image.layers) - len(rebasing.own_layers(image, move.old))
        own = LayerSource(blob=sources.own)
        layers = shop.layers(image, own, first=count)
        lazy = LayerSource(blob=sources.base, lazy=True)
        base = Base(name=move.new.name, platform=image.platform, layers=shop.layers(new, lazy), config=new.settings)
        needs.check(image, layers, below.settings.config or RunConfig(), base, shop.place)


def both(keeper: Keeper, stored: Stored, ground: grounds.Ground) -> Content:
    """The image's own blobs from where it is, the base's from where that is."""
    below = {layer.digest for image in ground.basis.images for layer in image.layers}

    def from_either(descriptor: Descriptor) -> Iterator[bytes]:
        return (ground.blob if descriptor.digest in below else keeper.blob)(descriptor)

    def moved(blob: Blob) -> Blob:
        origins = (*blob.origins, *((ground.origin,) if ground.origin else ()))
        return replace(blob, origins=origins) if blob.digest in below else blob

    content = content_from(keeper, stored)
    return replace(content, open=from_either, blobs=tuple(map(moved, content.blobs)))
