"""The main story: sources in, images at their places and a report out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from wherry.assemble.image import assemble_all, prepare
from wherry.assemble.pack import Packer
from wherry.assemble.static import built_in
from wherry.compile import Workplace, compile_all, run_hooks
from wherry.flows import destinations, rooms
from wherry.flows.plan import plan_with
from wherry.flows.report import BuildReport, ImageReport, Timing
from wherry.flows.request import BuildRequest
from wherry.kit.goenv import go_environment
from wherry.kit.ports import Machine
from wherry.model.base import Base
from wherry.model.image import Published
from wherry.model.plan import ImagePlan, Plan
from wherry.store.keeper import Ports
from wherry.store.places import at
from wherry.toolchain import find_toolchain


class Stopwatch:
    """Wall-clock time by phase."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._spent: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + time.monotonic() - began

    @property
    def timings(self) -> tuple[Timing, ...]:
        return tuple(Timing(phase=name, seconds=spent) for name, spent in self._spent.items())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def build(request: BuildRequest, machine: Machine) -> BuildReport:
    """Builds what `request` asks for, and puts it where it says."""
    watch = Stopwatch()
    with rooms.scratch(machine) as scratch:
        ports = rooms.ports_with(machine, scratch)
        packer = rooms.packer(machine, scratch, request)
        with watch.phase("analyze"):
            toolchain = find_toolchain(machine.environment, which=machine.which, run=machine.run)
            plan = plan_with(request, toolchain, machine)
            chosen = destinations.choose(request, plan, ports)
        workplace = rooms.workplace(machine, plan, scratch, request)
        run_hooks(plan.hooks, workplace.environment, machine.run, machine.which, machine.events)
        with watch.phase("compile"):
            compiled = compile_all(plan.compilations, workplace, machine.run, machine.events)
        images = []
        for image in plan.images:
            with watch.phase("pack"):
                bases = bases_of(image, plan, packer)
                prepared = prepare(image, bases, Path(plan.root), packer)
                built = assemble_all(image, prepared, compiled.binaries, packer)
            with watch.phase("store"):
                published = tuple(at(place, ports).publish(built) for place in chosen.places)
            contents = tuple(base.contents for base in bases)
            images.append(ImageReport(plan=image, built=built, bases=contents, published=published))
    return BuildReport(
        plan=plan,
        images=tuple(images),
        compiled=compiled,
        timings=watch.timings,
        seconds=watch.seconds,
        findings=tuple(one for image in images for place in image.published for one in place.findings),
        placed=chosen.why,
    )


def bases_of(image: ImagePlan, plan: Plan, packer: Packer) -> tuple[Base, ...]:
    """The base for each platform."""
    return built_in(image.base, image.platforms, image.packing, Path(plan.root), packer)
