"""What is to be run: a word in, an image or a freshly compiled package out, as layers and settings; reads places, runs Go.

A package is compiled and not packed: its layers hold an empty file where the program goes, and the program is mounted there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec.structs import replace

from wherry.assemble.config import APP
from wherry.assemble.image import assemble
from wherry.cache.blobs import Blobs
from wherry.errors import UsageError, WherryError
from wherry.flows import rooms
from wherry.flows.again import Memory
from wherry.flows.bases import check_programs, opened, prepare_image
from wherry.flows.destinations import Destinations
from wherry.flows.plan import Planned, plan_with, toolchain_of
from wherry.flows.remember import drafted
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.kit.files import private_directory
from wherry.kit.ports import Event, Machine
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.model.image import Image
from wherry.model.plan import Health, ImagePlan, Plan
from wherry.model.project import Inferred
from wherry.oci import reference as references
from wherry.oci.config import Config, RunConfig
from wherry.oci.descriptor import decode
from wherry.oci.layer import Packed
from wherry.oci.platform import Platform, best
from wherry.plan.choose import names_of
from wherry.plan.tiers import Tier
from wherry.store import own
from wherry.store import place as places
from wherry.store.base import Bases, Wanted
from wherry.store.choose import missing
from wherry.store.engine import detect
from wherry.store.keeper import Ports
from wherry.store.places import at

MODULE = re.compile(r"[\w.-]+\.[\w.-]+/\S*@\S+|\S+@(v\d\S*|latest)")


class Program(Value, frozen=True, kw_only=True):
    """A compiled program and where it goes."""

    file: str
    path: str


class Subject(Value, frozen=True, kw_only=True):
    """What is to be run, wherever it came from."""

    title: str
    """For instance podinfo."""
    image: str
    """What people are told: name:tag@digest, or a package."""
    platform: Platform
    platforms: tuple[Platform, ...] = ()
    """All that there is an image for, or that a package is built for."""
    config: RunConfig
    layers: tuple[Packed, ...]
    programs: tuple[Program, ...] = ()
    """Mounted over the empty files of their paths; none for an image."""
    health: Health | None = None
    digest: str = ""
    """Of the image's manifest; empty for a package."""
    plan: ImagePlan | None = None
    """Known for a package: where ports, routes and handlers were found."""
    place: str = ""
    """Where the image lies, in the grammar of `-o`."""
    history: tuple[str, ...] = ()
    """What the config says was run, layer by layer."""
    inferred: tuple[Inferred, ...] = ()
    """What the sources of a package show: routes, handlers of signals."""
    tiers: tuple[Tier, ...] = ()
    """The repository's settings, of a package."""
    root: str = ""
    """Of a package's repository: what its places are relative to."""
    names: tuple[str, ...] = ()
    """What the settings may call it; empty: its title."""


def is_package(word: str) -> bool:
    """Whether a word can only be a package: a path, a pattern, a module at a version, or nothing."""
    return (
        not word
        or word == "..."
        or word.startswith((".", "/"))
        or bool(MODULE.fullmatch(word) and "sha256:" not in word)
    )


def place_of(word: str, ports: Ports) -> places.Place | None:
    """Where the image `word` lies: a place as it is said, a name of wherry's store, of a registry when it has a host, of the
    engine that answers; None when it is none of these."""
    scheme, colon, _ = word.partition(":")
    if colon and scheme in places.SCHEMES:
        return places.parse(word)
    try:
        reference = references.parse(word)
    except WherryError:
        return None
    if is_own(reference, ports):
        return places.OwnPlace(reference=reference)
    if reference.host:
        return places.RegistryPlace(reference=reference)
    engine = detect.default(ports)
    if engine is None:
        return None
    place = places.EnginePlace(engine=engine.scheme, reference=reference)
    try:
        at(place, ports).open()
    except WherryError:
        return None
    return place


def is_own(reference: references.Reference, ports: Ports) -> bool:
    """Whether wherry's store has an image of that name."""
    return any(_names(one.name, reference) for one in own.images(ports.data))


def _names(name: str, wanted: references.Reference) -> bool:
    repository, _, tag = name.rpartition(":")
    return repository == wanted.name and wanted.tag in ("", tag)


def image_at(place: places.Place, ports: Ports, kept: Blobs, platform: Platform) -> Subject:
    """The image of `platform` that lies at `place`, its layers here as files. UsageError [no-platform] with those there are."""
    bases, wanted = Bases(ports, kept, kept.records), Wanted(name=str(place), place=place)
    base = bases.read(wanted, platform)
    settings = base.config.config if base.config else None
    name = _name(place)
    return Subject(
        title=name.rpartition("/")[2].partition(":")[0] or "app",
        image=f"{name}@{base.top}" if base.top else name,
        platform=base.platform,
        platforms=tuple(one.platform for one in bases.platforms(wanted)),
        config=settings or RunConfig(),
        layers=packed_of(base),
        digest=str(base.digest or ""),
        place=str(place),
        history=history_of(base.config),
    )


def history_of(config: Config | None) -> tuple[str, ...]:
    """Commands and comments of an image's history."""
    lines = (f"{one.created_by} {one.comment}".strip() for one in (config.history if config else None) or ())
    return tuple(line for line in lines if line)


def packed_of(base: Base) -> tuple[Packed, ...]:
    """A base's layers as files, brought where they must be."""
    return tuple(
        Packed(file=one.here(), media_type=one.media_type, digest=one.digest, diff_id=one.diff_id, size=one.size)
        for one in base.layers
    )


def _name(place: places.Place) -> str:
    match place:
        case places.OwnPlace(reference=reference) | places.EnginePlace(reference=reference):
            return str(replace(reference, digest=None)) if reference else "image"
        case places.RegistryPlace(reference=reference):
            return str(replace(reference, digest=None))
        case places.LayoutPlace(directory=path, tag=tag):
            return f"{Path(path).name}:{tag}" if tag else Path(path).name
        case places.OciArchivePlace(file=path, tag=tag):
            return f"{Path(path).stem}:{tag}" if tag else Path(path).stem
        case places.DockerArchivePlace(file=path):
            return Path(path).stem


def package(request: BuildRequest, machine: Machine, session: Session, platform: Platform) -> Subject:
    """Compiles the only image that `request` means, for one platform of those that it is built for.

    UsageError [several-images] when it means several, [no-platform]; what `build` raises."""
    ports, packer = rooms.ports_with(machine, session.scratch), rooms.packer(machine, session.scratch, request)
    memory = Memory(machine, session.key, session.edited if request.cache else None)
    toolchain = toolchain_of(request, machine)
    planned = plan_with(request, toolchain, replace(machine, run=memory))
    plan = _for(planned.plan, platform)
    (image,) = plan.images
    job = session.compile(plan, cache=request.cache)
    bases = opened(plan, Destinations(), ports, rooms.blobs(machine, session.scratch, request))
    (prepared,) = prepare_image(image, plan, packer, bases)
    drafted(request, planned, session, Destinations(), memory)
    machine.events(Event(phase="compile", subject=str(prepared.base.platform)))
    compiled = job.wait()
    machine.events(Event(phase="compile", state="end", subject=str(prepared.base.platform)))
    check_programs(image, (prepared,), compiled.binaries, packer)
    empty = Path(session.scratch, "empty")
    empty.touch(mode=0o555)
    hollow = tuple(replace(one, file=str(empty)) for one in compiled.binaries)
    made = assemble(image, prepared, hollow, packer)
    programs = private_directory(Path(session.scratch, f"programs-{made.platform.architecture}{made.platform.variant}"))
    subject = of_package(image, made, _kept(image, compiled.binaries, made.platform, programs))
    return replace(read_in(planned, image, subject), platforms=only(planned.plan).platforms)


def _for(plan: Plan, platform: Platform) -> Plan:
    """The part of a plan that makes its only image for `platform`."""
    image = only(plan)
    found = best(platform, image.platforms)
    if found is None:
        raise missing(image.name, platform, image.platforms)
    compilations = tuple(one for one in plan.compilations if one.platform == found)
    return replace(plan, compilations=compilations, images=(replace(image, platforms=(found,)),))


def read_in(planned: Planned, image: ImagePlan, subject: Subject) -> Subject:
    """The subject with what the sources of its first program show, and the settings for it."""
    first = image.targets[0].import_path
    main = next(main for main in planned.reading.project.mains if main.import_path == first)
    return replace(
        subject, inferred=main.inferred, tiers=planned.tiers, names=names_of(main), root=planned.reading.project.root
    )


def only(plan: Plan) -> ImagePlan:
    """The one image that a plan makes; UsageError [several-images]."""
    if len(plan.images) == 1:
        return plan.images[0]
    names = ", ".join(image.name for image in plan.images)
    first = plan.images[0].targets[0].import_path
    raise UsageError(
        "several-images",
        f"one program is run at a time, and these are {len(plan.images)}",
        why=names,
        next=f"wherry run {first}",
    )


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


def copy_program(source: str, target: Path) -> None:
    """A copy inside the kernel where that can be; mode 0555."""
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    with open(source, "rb") as read, open(temporary, "xb") as write:  # noqa: PTH123
        size = os.fstat(read.fileno()).st_size
        while size > 0 and (count := os.copy_file_range(read.fileno(), write.fileno(), size)):
            size -= count
        os.fchmod(write.fileno(), 0o555)
    temporary.replace(target)


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
        image=f"{image.targets[0].import_path} {image.version}",
        platform=made.platform,
        config=config.config or RunConfig(),
        layers=layers,
        programs=programs,
        health=image.health,
        plan=image,
        history=history_of(config),
    )
