"""What an image stands on, and what it is to stand on. An image as found and the user's words in, both bases out; reads them,
and makes those that are wherry's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from wherry.assemble import rebase as rebasing
from wherry.assemble import standing
from wherry.assemble.rebase import Basis
from wherry.cache.blobs import Blobs
from wherry.cache.records import Records
from wherry.errors import RefusedError, WherryError
from wherry.flows.folders import folders_of
from wherry.flows.request import BuildRequest
from wherry.flows.rooms import packer
from wherry.kit.files import chunks
from wherry.kit.ports import Machine
from wherry.model.image import Layer, Stored, StoredImage
from wherry.oci import reference as references
from wherry.oci.descriptor import Descriptor
from wherry.oci.reference import Reference
from wherry.plan import presets
from wherry.store import naming
from wherry.store import place as places
from wherry.store.baselayer import LayerSource, Shelf
from wherry.store.content import Open
from wherry.store.keeper import Ports
from wherry.store.places import at


class Words(NamedTuple):
    """What the user said of bases; empty: nothing."""

    subject: str
    base: str = ""
    old_base: str = ""


class Ground(NamedTuple):
    """A base, and where the bytes of its layers are."""

    basis: Basis
    blob: Open
    origin: Reference | None = None


class Workshop:
    """Layers as files, kept from run to run, and a folder for this one."""

    def __init__(self, ports: Ports, machine: Machine) -> None:
        folders = folders_of(machine)
        kept = Blobs(folders, Records(folders))
        self.ports, self.machine = ports, machine
        self.shelf = Shelf(kept, kept.records, Path(ports.scratch))
        self.place = (Path(ports.scratch), kept.records)

    def layers(self, image: StoredImage, source: LayerSource, *, first: int = 0) -> tuple[Layer, ...]:
        """The layers of `image` from that number on."""
        pairs = tuple(zip(image.layers, image.settings.rootfs.diff_ids, strict=True))
        return tuple(self.shelf.layer(source, *pair) for pair in pairs[first:])


def found(stored: Stored, words: Words, own: Open, shop: Workshop) -> tuple[Basis, Ground]:
    """The old base, which the image or the user names, and the new one. RefusedError [no-base] when neither says which they are,
    [not-on-base] when wherry's own base beneath it is none."""
    name = words.old_base if words.old_base in standing.NAMES else ""
    annotated = rebasing.base_of(stored)
    if not name and not words.old_base and not annotated[0]:
        name = standing.stands_on(stored)
    extra = _own_certificates(stored, own, shop) if name == "static" else (b"", 0)
    old = standing.beneath(stored, name) if name else _old_basis(_old_places(stored, words), shop.ports)
    wanted = words.base or ("static" if name == "static" else "")
    if wanted in standing.NAMES:
        basis, layers = standing.renewed(
            stored, wanted, extra, packer(shop.machine, shop.ports.scratch, BuildRequest())
        )
        return old, Ground(basis, _from_files(layers))
    return old, _at_place(base_place(wanted) if wanted else _same_name(annotated[0], words, name), shop.ports)


def base_place(text: str) -> places.Place:
    """A base as `wherry build --base` reads it: a preset, a place, or a reference, Docker Hub's where it names no registry."""
    scheme, colon, _ = text.partition(":")
    if colon and scheme in places.SCHEMES:
        return places.parse(text)
    reference = references.in_registry(
        references.parse(presets.reference_of(text, dynamic=False).removeprefix("docker://"))
    )
    return places.RegistryPlace(reference=naming.or_latest(reference))


def basis(place: places.Place, stored: Stored) -> Basis:
    """What `place` holds, as a base."""
    reference = ""
    if isinstance(place, places.RegistryPlace):
        reference = str(replace(place.reference, digest=None))
    return Basis(name=str(place), reference=reference, digest=stored.descriptor.digest, images=stored.images)


def _own_certificates(stored: Stored, own: Open, shop: Workshop) -> tuple[bytes, int]:
    """Every image has the same lowest layer, or it is not wherry's."""
    rows = [(standing.lowest(image), image) for image in stored.images]
    apart = {row[0].digest: (row, image) for row, image in reversed(rows)}
    found = {
        digest: standing.own_certificates(shop.shelf.layer(LayerSource(blob=own), *row), image)
        for digest, (row, image) in apart.items()
    }
    return found[rows[0][0][0].digest]


def _from_files(layers: tuple[Layer, ...]) -> Open:
    known = {layer.digest: layer for layer in layers}

    def opened(descriptor: Descriptor) -> Iterator[bytes]:
        return chunks(known[descriptor.digest].here())

    return opened


def _at_place(place: places.Place, ports: Ports) -> Ground:
    keeper = at(place, ports)
    stored = keeper.open()
    return Ground(basis(place, stored), keeper.blob, stored.origin)


def _old_places(stored: Stored, words: Words) -> tuple[places.Place, ...]:
    """Where the old base is; each image may name its own part of it."""
    if words.old_base:
        return (base_place(words.old_base),)
    name, digests = rebasing.base_of(stored)
    if not name:
        raise RefusedError(
            "no-base",
            "nothing says which base this image stands on",
            where=stored.reference,
            why="no annotations org.opencontainers.image.base.name and .digest say so, and wherry did not build it on static",
            next=f"wherry rebase {shlex.quote(words.subject)} --old-base REF --base REF",
        )
    said = references.in_registry(references.parse(name))
    return tuple(places.RegistryPlace(reference=replace(said, digest=digest)) for digest in digests)


def _same_name(name: str, words: Words, built_in: str) -> places.Place:
    """What the old base's name means today."""
    said = references.in_registry(references.parse(name)) if name and not built_in else None
    if said is None or not said.tag:
        why = "scratch is nothing, so there is nothing newer" if built_in else ""
        step = f"wherry rebase {shlex.quote(words.subject)} --base REF"
        raise RefusedError("no-base", "nothing says which base is the new one", why=why, next=step)
    return places.RegistryPlace(reference=replace(said, digest=None))


def _old_basis(where: tuple[places.Place, ...], ports: Ports) -> Basis:
    """All that the images say they stand on, as one base."""
    rows = tuple(basis(place, _old(place, ports)) for place in where)
    return replace(rows[0], images=tuple(image for one in rows for image in one.images))


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
