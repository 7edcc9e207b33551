"""A package as something to run: a request in, a freshly compiled program in its image's hollow layers out; runs Go.

It is compiled and not packed: its layers hold an empty file where the program goes, and the program is mounted there. When
nothing changed since the last run of the same request, nothing at all is asked or done (decision 0004).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.assemble.config import APP
from wherry.assemble.image import assemble
from wherry.cache.noop.inputs import FileOutput
from wherry.cache.noop.record import finish
from wherry.errors import UsageError
from wherry.flows import rooms
from wherry.flows.again import Memory
from wherry.flows.bases import check_programs, opened, prepare_image
from wherry.flows.destinations import Destinations
from wherry.flows.engines import run_folder
from wherry.flows.folders import folders_of
from wherry.flows.plan import Planned, plan_with, toolchain_of
from wherry.flows.remember import drafted
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.flows.subject import Program, Subject, copy_program, first_that_fits, history_of, sealed
from wherry.kit.files import disk_errors
from wherry.kit.ports import Event, Machine
from wherry.model.binary import Binary
from wherry.model.image import Image
from wherry.model.plan import ImagePlan, Plan
from wherry.oci.config import Config, RunConfig
from wherry.oci.descriptor import decode
from wherry.oci.layer import Packed
from wherry.oci.platform import Platform, best, parse
from wherry.plan.choose import SHOWN, folder, names_of
from wherry.runtime.folders import OPEN
from wherry.store.choose import missing

KEPT: Final = 4
"""Compiled programs of one name that stay, the newest; and those younger than YOUNG seconds, which another run may be about to
start."""
YOUNG: Final = 120.0
NOWHERE: Final[Mapping[str, str]] = {}


def package_for(request: BuildRequest, machine: Machine, session: Session, said: str) -> Subject:
    """`package` for the platform that was said, even where the settings name others alone; for this machine's where none was."""
    try:
        return first_that_fits(lambda one: package(request, machine, session, one), said)
    except UsageError as error:
        if error.name != "no-platform" or not said:
            raise
    platform = parse(said)
    settings = replace(request.settings, platforms=(str(platform),))
    spelled = (*request.spelled, (("platforms",), f"--platform {said}"))
    return package(replace(request, settings=settings, spelled=spelled), machine, session, platform)


def package(request: BuildRequest, machine: Machine, session: Session, platform: Platform) -> Subject:
    """Compiles the only image that `request` means, for one platform of those that it is built for.

    UsageError [several-images] when it means several, [no-platform]; what `build` raises."""
    ports, packer = rooms.ports_with(machine, session.scratch), rooms.packer(machine, session.scratch, request)
    memory = Memory(machine, session.key, session.edited if request.cache else None)
    toolchain = toolchain_of(request, machine)
    planned = plan_with(request, toolchain, replace(machine, run=memory))
    only(planned.plan, spelled(planned, request))
    plan = _for(planned.plan, platform)
    (image,) = plan.images
    job = session.compile(plan, cache=request.cache)
    bases = opened(plan, Destinations(), ports, rooms.blobs(machine, session.scratch, request))
    (prepared,) = prepare_image(image, plan, packer, bases)
    draft = drafted(request, planned, session, Destinations(), memory)
    machine.events(Event(phase="compile", subject=str(prepared.base.platform)))
    compiled = job.wait()
    machine.events(Event(phase="compile", state="end", subject=str(prepared.base.platform)))
    check_programs(image, (prepared,), compiled.binaries, packer)
    empty = Path(session.scratch, "empty")
    empty.touch(mode=0o555)
    hollow = tuple(replace(one, file=str(empty)) for one in compiled.binaries)
    made = assemble(image, prepared, hollow, packer)
    programs = _kept(image, compiled.binaries, made.platform, fresh_folder(machine, image.name.rpartition("/")[2]))
    subject = read_in(planned, image, of_package(image, made, programs))
    subject = replace(subject, platforms=only(planned.plan).platforms)
    if draft:
        outputs = tuple(FileOutput(path=one.file) for one in subject.programs)
        # Beside the start of the container: the index waits for the file system's clock to go on.
        session.aside(lambda: finish(folders_of(machine), draft, outputs, sealed(subject)))
    return subject


def fresh_folder(machine: Machine, title: str) -> Path:
    """A folder in the run folder for programs of this name, and no other run's; older ones go."""
    above = run_folder(machine) / "programs" / title
    folder = above / os.urandom(8).hex()
    with disk_errors(folder):
        for one in (above.parent, above, folder):
            one.mkdir(mode=OPEN, parents=True, exist_ok=True)
            one.chmod(OPEN)
        _drop_old(above)
    return folder


def _drop_old(above: Path) -> None:
    """A program that runs is still there for it: what is mounted stays when its name goes."""
    found = []
    for one in above.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append((one.stat().st_mtime, one))
    for modified, one in sorted(found, reverse=True)[KEPT:]:
        if time.time() - modified > YOUNG:
            shutil.rmtree(one, ignore_errors=True)


def _for(plan: Plan, platform: Platform) -> Plan:
    """The part of a plan that makes its only image for `platform`."""
    image = only(plan)
    found = best(platform, image.platforms)
    if found is None:
        elsewhere = f"--platform {image.platforms[0]}, where qemu-user-static is installed if that is another processor"
        steps = (f"{platform} in platforms of wherry.toml", elsewhere)
        raise missing(image.name, platform, image.platforms).with_next(*steps)
    compilations = tuple(one for one in plan.compilations if one.platform == found)
    return replace(plan, compilations=compilations, images=(replace(image, platforms=(found,)),))


def read_in(planned: Planned, image: ImagePlan, subject: Subject) -> Subject:
    """The subject with what the sources of its first program show, and the settings for it."""
    first = image.targets[0].import_path
    main = next(main for main in planned.reading.project.mains if main.import_path == first)
    return replace(
        subject,
        inferred=main.inferred,
        tiers=planned.tiers,
        settings_root=planned.layout.root,
        names=names_of(main),
        root=planned.reading.project.root,
    )


def only(plan: Plan, folders: Mapping[str, str] = NOWHERE) -> ImagePlan:
    """The one image that a plan makes. UsageError [several-images], with the programs' `folders` by import path as one writes
    them where one stands."""
    if len(plan.images) == 1:
        return plan.images[0]
    paths = tuple(image.targets[0].import_path for image in plan.images)
    words = tuple(folders.get(path, path) for path in paths)
    raise UsageError(
        "several-images",
        f"one program is run at a time, and these are {len(words)}",
        where=words[:SHOWN],
        next=f"wherry run {shlex.quote(words[0])}",
    )


def spelled(planned: Planned, request: BuildRequest) -> dict[str, str]:
    """The folder of each program, as one writes it where one stands, by import path."""
    project = planned.reading.project
    here = os.path.relpath(rooms.standing(request), project.root)
    return {main.import_path: folder(main, here) for main in project.mains}


def _kept(image: ImagePlan, binaries: tuple[Binary, ...], platform: Platform, folder: Path) -> tuple[Program, ...]:
    """Copies of the programs that nobody changes any more, executable by all."""
    own_names = {target.import_path: target.name for target in image.targets}
    found = []
    for binary in binaries:
        name = own_names.get(binary.import_path)
        if name and binary.platform == platform:
            file = folder / name
            copy_program(binary.file, file)
            found.append(Program(file=str(file), path=f"/{APP}/{name}"))
    return tuple(found)


def of_package(image: ImagePlan, made: Image, programs: tuple[Program, ...]) -> Subject:
    """The subject that a package's image is."""
    config = decode(made.config.data, Config, name="config")
    layers = tuple(
        Packed(
            file=layer.here(), media_type=layer.media_type, digest=layer.digest, diff_id=layer.diff_id, size=layer.size
        )
        for layer in made.layers
    )
    return Subject(
        title=image.name.rpartition("/")[2],
        names=(image.targets[0].name, image.targets[0].import_path),
        image=f"{image.targets[0].import_path} {image.full_version}",
        platform=made.platform,
        config=config.config or RunConfig(),
        layers=layers,
        programs=programs,
        health=image.health,
        plan=image,
        history=history_of(config),
    )
