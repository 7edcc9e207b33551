"""The main story: sources in, images at their places and a report out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import msgspec

from wherry.assemble.image import Prepared, assemble_all
from wherry.compile import run_hooks
from wherry.flows import destinations, rooms
from wherry.flows.again import Memory
from wherry.flows.bases import check_programs, opened, prepare_image
from wherry.flows.caches import tidy
from wherry.flows.folders import workplace
from wherry.flows.plan import plan_with, toolchain_of
from wherry.flows.remember import drafted, remember
from wherry.flows.report import BuildReport, ImageReport, Timing
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.kit.ports import Event, Machine
from wherry.model.image import Built, Published
from wherry.model.plan import ImagePlan

#: Programs that `wherry run` and `wherry prove` can use.
RUNTIMES = ("runc", "crun", "docker", "podman")


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


def build(request: BuildRequest, machine: Machine, session: Session | None = None) -> BuildReport:
    """Builds what `request` asks for, and puts it where it says. `session`: one that was opened before, with this machine."""
    if session is not None:
        return _build(request, machine, session)
    with Session(machine) as own:
        return _build(request, machine, own)


def _build(request: BuildRequest, machine: Machine, session: Session) -> BuildReport:
    watch = Stopwatch()
    ports, packer = rooms.ports_with(machine, session.scratch), rooms.packer(machine, session.scratch, request)
    memory = Memory(machine, session.key, session.edited if request.cache else None)
    with watch.phase("analyze"):
        toolchain = toolchain_of(request, machine)
        planned = plan_with(request, toolchain, msgspec.structs.replace(machine, run=memory))
        plan = planned.plan
        chosen = destinations.choose(request, plan, ports)
    if plan.hooks:
        with watch.phase("hooks"):
            place = workplace(machine, plan, session.scratch, cache=request.cache)
            run_hooks(plan.hooks, place.environment, machine.run, machine.which, machine.events)
    job = session.compile(plan, cache=request.cache)
    with watch.phase("prepare"):
        bases = opened(plan, chosen, ports, rooms.blobs(machine, session.scratch, request))
        prepared = tuple(prepare_image(image, plan, packer, bases) for image in plan.images)
        draft = drafted(request, planned, session, chosen, memory)
        destinations.awaited(chosen, plan, ports)
    with watch.phase("compile"):
        machine.events(Event(phase="compile", subject=", ".join(str(one.platform) for one in plan.compilations)))
        compiled = job.wait()
    images = []
    for image, parts in zip(plan.images, prepared, strict=True):
        with watch.phase("pack"):
            check_programs(image, parts, compiled.binaries, packer)
            built = assemble_all(image, parts, compiled.binaries, packer)
        with watch.phase("store"):
            published = destinations.publish(built, image, chosen, ports)
        images.append(_report(image, built, parts, published))
    report = BuildReport(
        plan=plan,
        images=tuple(images),
        compiled=compiled,
        timings=watch.timings,
        seconds=watch.seconds,
        findings=tuple(one for image in images for place in image.published for one in place.findings),
        placed=chosen.why,
        runs=any(map(machine.which, RUNTIMES)),
    )
    if draft:
        report = msgspec.structs.replace(report, forgotten=remember(draft, report, ports))
    if request.cache:
        tidy(machine)
    return report


def _report(
    image: ImagePlan, built: Built, parts: tuple[Prepared, ...], published: tuple[Published, ...]
) -> ImageReport:
    contents = tuple(part.base.contents for part in parts)
    return ImageReport(plan=image, built=built, bases=contents, base=parts[0].base.top, published=published)
