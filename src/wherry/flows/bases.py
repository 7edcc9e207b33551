"""What images stand on. A plan's base choice in, a Base for each platform out; reads the places where bases lie."""

from __future__ import annotations

from pathlib import Path

import msgspec

from wherry.assemble.image import Prepared, prepare
from wherry.assemble.linkage import check
from wherry.assemble.pack import Packer
from wherry.assemble.static import built_in
from wherry.cache.blobs import Blobs
from wherry.flows.destinations import Destinations
from wherry.kit import parallel
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.model.image import Layer
from wherry.model.plan import BaseChoice, ImagePlan, Plan
from wherry.oci.platform import Platform
from wherry.store import place as places
from wherry.store.base import Bases, Wanted
from wherry.store.keeper import Ports

BUILT_IN = ("static", "scratch")
AT_ONCE = 4


def opened(plan: Plan, chosen: Destinations, ports: Ports, blobs: Blobs) -> Bases:
    """The bases of one run. Where images go to registries alone, layers stay where they are until one of these lacks them."""
    goals = (goal for image in plan.images for goal in chosen.of(image))
    lazy = all(isinstance(goal, places.RegistryPlace) for goal in goals)
    return Bases(ports, blobs, blobs.records, lazy=lazy)


def prepare_image(image: ImagePlan, plan: Plan, packer: Packer, bases: Bases) -> tuple[Prepared, ...]:
    """All of an image that needs no binary, for each platform: its base read or made, its assets packed. While Go compiles a
    program that will be compared with its base, the base's layers come here."""
    found = bases_of(image, plan, packer, bases)
    if any(one.cgo and not any("-static" in flag for flag in one.flags) for one in plan.compilations):
        parallel.each(Layer.here, (layer for base in found for layer in base.layers), at_once=AT_ONCE)
    return prepare(image, found, Path(plan.root), packer)


def bases_of(image: ImagePlan, plan: Plan, packer: Packer, bases: Bases) -> tuple[Base, ...]:
    """The base of `image` for each of its platforms, in order."""
    if image.base.name in BUILT_IN:
        return built_in(image.base, image.platforms, image.packing, Path(plan.root), packer)
    wanted = wanted_of(image.base)

    def read(platform: Platform) -> Base:
        return msgspec.structs.replace(bases.read(wanted, platform), platform=platform)

    return parallel.each(read, image.platforms, at_once=AT_ONCE)


def wanted_of(choice: BaseChoice) -> Wanted:
    """The plan's choice as the store reads it."""
    return Wanted(name=choice.name, place=places.parse(choice.name), digest=choice.digest)


def check_programs(
    image: ImagePlan, prepared: tuple[Prepared, ...], binaries: tuple[Binary, ...], packer: Packer
) -> None:
    """Returns when each program of the image can start on its base; RefusedError [base-loader], [base-libc], [base-library] else.
    `binaries` may hold other images' too."""
    own = {target.import_path for target in image.targets}
    for part in prepared:
        for binary in binaries:
            if binary.platform == part.base.platform and binary.import_path in own:
                check(binary, part.base, part.paths, packer.records)
