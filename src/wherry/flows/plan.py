"""A request in, the whole plan of a build out; reads the repository and Go's files, builds nothing."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from wherry.analyze.layout import Layout, locate
from wherry.analyze.project import Reading
from wherry.analyze.project import read as read_sources
from wherry.analyze.request import Request as Question
from wherry.assemble.assets import asset_entries
from wherry.assemble.certificates import extra_certificates
from wherry.cache.folders import prepare
from wherry.cache.prune import limit_of
from wherry.cache.records import Records
from wherry.errors import UsageError, WherryError
from wherry.flows import destinations, parts, rooms
from wherry.flows.folders import folders_of
from wherry.flows.request import BuildRequest
from wherry.flows.tiers import read_tiers
from wherry.kit.files import private_directory
from wherry.kit.ports import Event, Machine
from wherry.kit.value import Value
from wherry.model.plan import ImagePlan, Plan
from wherry.model.toolchain import Toolchain
from wherry.plan import choose, tiers
from wherry.plan.answer import Answer, Ledger
from wherry.plan.inputs import PlanInputs, Request
from wherry.plan.make import make_plan
from wherry.plan.tiers import Tier
from wherry.toolchain import find_toolchain

COMPILERS = ("cc", "gcc", "clang")


def plan(request: BuildRequest, machine: Machine) -> Plan:
    """Every decision about the build that `request` asks for, where its images would go included. What would stop the build
    before Go runs is an error here, too: an asset that is missing, a place that cannot be."""
    planned = plan_with(request, toolchain_of(request, machine), machine).plan
    ledger = Ledger()
    for image in planned.images:
        ledger.ask(partial(_files, image, Path(planned.root)), None)
    with rooms.store_ports(machine) as ports:
        chosen = ledger.ask(
            lambda: Answer(value=destinations.choose(request, planned, ports)), destinations.Destinations()
        )
    ledger.close()
    return destinations.told(planned, chosen)


def _files(image: ImagePlan, root: Path) -> Answer[None]:
    """Nothing, where all files that the image takes from the repository are there and may be taken."""
    asset_entries(image.assets, root)
    extra_certificates(root, image.base.certificates)
    return Answer(value=None)


def toolchain_of(request: BuildRequest, machine: Machine) -> Toolchain:
    """The Go that `request` asks for: this machine's, or a version that Go may fetch."""
    wanted = request.toolchain if request.toolchain.startswith("go") else ""
    try:
        return find_toolchain(machine.environment, which=machine.which, run=machine.run, wanted=wanted)
    except WherryError as error:
        raise error.at(f"--toolchain {wanted}") if wanted else error from None


class Planned(Value, frozen=True, kw_only=True):
    """A plan, and what it was made from."""

    plan: Plan
    layout: Layout
    reading: Reading
    tiers: tuple[Tier, ...]


def plan_with(request: BuildRequest, toolchain: Toolchain, machine: Machine, *, use_lock: bool = True) -> Planned:
    """The plan with Go already found, and what it was made from. `use_lock`: False for who is about to write it anew."""
    machine.events(Event(phase="analyze"))
    limit_of(folders_of(machine), dict(machine.variables))  # a mistake there is told before anything is built
    layout = locate(str(rooms.standing(request)), workspace=_workspace(machine))
    settings = read_tiers(request, layout, machine)
    lock = parts.lock_in(layout.root, needed=request.locked) if use_lock else None
    reading = read_project(request, settings, toolchain, machine, layout)
    made = make_plan(
        PlanInputs(
            project=reading.project,
            toolchain=toolchain,
            tiers=settings,
            request=Request(
                packages=request.packages,
                directory=os.path.relpath(rooms.standing(request), reading.project.root),
                references=request.names,
                untrusted=request.untrusted,
                toolchain=request.toolchain,
                hooks=request.hooks,
                pass_environment=request.pass_environment,
            ),
            environment=machine.variables,
            programs=programs(machine),
            lock=lock,
        )
    )
    _check_profiles(made)
    made = parts.compared(made, lock, strict=request.locked)
    return Planned(plan=made, layout=layout, reading=reading, tiers=settings)


def _workspace(machine: Machine) -> str:
    """The user's GOWORK: `off`, the path of a go.work, or empty."""
    return dict(machine.environment.go).get("GOWORK", "")


def _check_profiles(plan: Plan) -> None:
    """UsageError [pgo-missing] for a CPU profile that is not there: Go's own error would call it a package."""
    for flag in dict.fromkeys(flag for one in plan.compilations for flag in one.flags):
        profile = flag.removeprefix("-pgo=")
        if profile in (flag, "off") or Path(profile).is_file():
            continue
        decisions = (*plan.decisions, *(one for image in plan.images for one in image.decisions))
        place = next((str(one.place) for one in decisions if one.name == "pgo" and one.place), "build.pgo")
        name = os.path.relpath(profile, plan.root)
        raise UsageError(
            "pgo-missing",
            f"there is no CPU profile {name}",
            where=place,
            next="name one that is there, or leave it out",
        )


def programs(machine: Machine) -> tuple[tuple[str, str], ...]:
    """The helper programs that the plan may decide on."""
    compiler = next((path for path in map(machine.which, COMPILERS) if path), "")
    return tuple((name, path) for name, path in (("cc", compiler), ("git", machine.which("git"))) if path)


def read_project(
    request: BuildRequest, settings: tuple[Tier, ...], toolchain: Toolchain, machine: Machine, layout: Layout
) -> Reading:
    """The repository, or the module by version, as far as the words of the request or of `packages` ask for it."""
    folders = prepare(folders_of(machine))
    build = tiers.effective(settings).build
    question = Question(
        working_directory=str(rooms.standing(request)),
        packages=choose.to_look_at(request.packages, settings, layout.root),
        environment=machine.environment,
        toolchain=toolchain,
        platform=rooms.host(),
        workspace=_workspace(machine),
        tags=build.tags or (),
        cgo=bool(build.cgo),
        scratch=str(private_directory(Path(folders.path, "modules"))),
    )
    return read_sources(question, run=machine.run, which=machine.which, records=Records(folders))
