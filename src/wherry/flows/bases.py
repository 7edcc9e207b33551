"""What images stand on. A plan's base choice in, a Base for each platform out; reads layouts and archives."""

from __future__ import annotations

from pathlib import Path

import msgspec

from wherry.assemble.image import Prepared, prepare
from wherry.assemble.pack import Packer
from wherry.assemble.static import built_in
from wherry.model.base import Base
from wherry.model.plan import ImagePlan, Plan
from wherry.oci.platform import Platform
from wherry.store import place as places
from wherry.store.base import read_base
from wherry.store.keeper import Ports
from wherry.store.places import at

BUILT_IN = ("static", "scratch")


def prepare_image(image: ImagePlan, plan: Plan, packer: Packer, ports: Ports) -> tuple[Prepared, ...]:
    """All of an image that needs no binary, for each platform: its base read or made, its assets packed."""
    return prepare(image, bases_of(image, plan, packer, ports), Path(plan.root), packer)


def bases_of(image: ImagePlan, plan: Plan, packer: Packer, ports: Ports) -> tuple[Base, ...]:
    """The base of `image` for each of its platforms, in order."""
    if image.base.name in BUILT_IN:
        return built_in(image.base, image.platforms, image.packing, Path(plan.root), packer)
    keeper = at(places.parse(image.base.name), ports)

    def read(platform: Platform) -> Base:
        base = read_base(keeper, image.base.name, platform, packer.blobs)
        return msgspec.structs.replace(base, platform=platform)

    return tuple(map(read, image.platforms))
