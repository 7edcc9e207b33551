"""The main story: sources in, images at their places and a report out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from wherry.assemble.image import Prepared, assemble_all
from wherry.cache.noop.record import begin
from wherry.cache.noop.request import Request
from wherry.compile import run_hooks
from wherry.flows import destinations, rooms
from wherry.flows.bases import prepare_image
from wherry.flows.early import Early
from wherry.flows.plan import plan_with
from wherry.flows.remember import inputs_of, remember
from wherry.flows.report import BuildReport, ImageReport, Timing
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Machine
from wherry.model.image import Built, Published
from wherry.model.plan import ImagePlan
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


def build(request: BuildRequest, machine: Machine, key: Request | None = None) -> BuildReport:
    """Builds what `request` asks for, and puts it where it says. With a `key` the next equal build is known by looking."""
    watch, began = Stopwatch(), begin()
    with rooms.scratch(machine) as scratch:
        ports, packer = rooms.ports_with(machine, scratch), rooms.packer(machine, scratch, request)
        early = Early(request, machine, scratch)
        try:
            with watch.phase("analyze"):
                toolchain = find_toolchain(machine.environment, which=machine.which, run=machine.run)
                early.begin(toolchain)
                planned = plan_with(request, toolchain, machine)
                plan = planned.plan
                chosen = destinations.choose(request, plan, ports)
            run_hooks(plan.hooks, rooms.workplace(machine, plan, scratch, request).environment, machine.run, machine.which, machine.events)
            job = early.compile(plan)
        except BaseException:
            early.stop()
            raise
        try:
            with watch.phase("prepare"):
                prepared = tuple(prepare_image(image, plan, packer, ports) for image in plan.images)
                inputs = inputs_of(request, planned, machine) if key and request.cache else None
        except BaseException:
            job.cancel()
            raise
        with watch.phase("compile"):
            compiled = job.wait()
        images = []
        for image, parts in zip(plan.images, prepared, strict=True):
            with watch.phase("pack"):
                built = assemble_all(image, parts, compiled.binaries, packer)
            with watch.phase("store"):
                published = tuple(at(place, ports).publish(built) for place in chosen.of(image))
            images.append(_report(image, built, parts, published))
        report = BuildReport(
            plan=plan,
            images=tuple(images),
            compiled=compiled,
            timings=watch.timings,
            seconds=watch.seconds,
            findings=tuple(one for image in images for place in image.published for one in place.findings),
            placed=chosen.why,
        )
        if key and inputs:
            remember(key, began, inputs, report, ports)
    return report


def _report(image: ImagePlan, built: Built, parts: tuple[Prepared, ...], published: tuple[Published, ...]) -> ImageReport:
    contents = tuple(part.base.contents for part in parts)
    return ImageReport(plan=image, built=built, bases=contents, published=published)
