"""`wherry diff --variants`: one application in every variant, built, measured and started. A request in, a Ladder out; builds
images into a scratch folder and, where Docker answers, into it, and takes them away again."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import BuildError, RefusedError, UnavailableError, UnknownError, UsageError, WherryError
from wherry.flows import rooms
from wherry.flows.build import build
from wherry.flows.container import RunRequest
from wherry.flows.generate import applications_of, planned_of
from wherry.flows.looks.contents import contents_of
from wherry.flows.package import spelled
from wherry.flows.prove import ProveRequest, prove
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.flows.subject import image_at
from wherry.generate.header import writer
from wherry.judge.contents import tool
from wherry.kit.compress import block_size, compressor
from wherry.kit.files import disk_errors
from wherry.kit.ports import Command, Completed, Event, Machine
from wherry.kit.streams import CHUNK, Readable
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice, File
from wherry.model.ladder import Ladder, Rung
from wherry.model.observation import Start
from wherry.model.plan import Pairs
from wherry.model.settings import ImageSettings, Settings
from wherry.oci import media
from wherry.oci.layer import Packed, read
from wherry.plan.choose import SHOWN
from wherry.runtime.client import VARIABLES
from wherry.store import place as places

BASES: Final = {
    "static": "",
    "scratch": "",
    "distroless": "static",
    "alpine": "alpine",
    "debian": "debian",
    "single-stage": "builder",
}
"""What wherry builds upon: a built-in base, or the image of that role, as Dockerfiles name it."""
BY_DOCKER: Final = ("single-stage", "debian", "alpine", "distroless", "scratch", "hardened")
SHELL: Final = "shell"
"""As the check of that name calls one."""
STATUS: Final = ("var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed")
DISTROLESS: Final = "var/lib/dpkg/status.d/"
PACKAGE: Final = re.compile(r"^(?:Package: |P:)(\S+)$", re.MULTILINE)
LONGEST: Final = 3600.0


class Work(Value, frozen=True, kw_only=True):
    """What every rung is made with."""

    build: BuildRequest
    application: Application
    root: str
    scratch: Path
    machine: Machine
    session: Session
    docker: str = ""
    """The client's path; empty: no daemon answers."""
    network: str = ""
    """Of steps that Docker runs; empty: its own choice."""


def ladder(request: BuildRequest, machine: Machine, *, network: str = "") -> Ladder:
    """Every variant of the one program that `request` names. A variant that cannot be had here says why. `network`: as `docker
    build --network`. UsageError [several-mains]; the errors of `plan`."""
    planned = planned_of(request, machine)
    applications, root = applications_of(planned, machine)
    if len(applications) > 1:
        known = spelled(planned, request)
        folders = tuple(known[image.targets[0].import_path] for image in planned.plan.images)
        raise UsageError(
            "several-mains",
            f"there are {len(applications)} programs here; say which",
            where=folders[:SHOWN],
            next=f"wherry diff --variants {shlex.quote(folders[0])}",
        )
    version = planned.plan.images[0].full_version  # of these sources, as `wherry build` says it: not of a release
    with Session(machine) as session:
        work = Work(
            build=request,
            application=replace(applications[0], version=version),
            root=root,
            scratch=Path(session.scratch),
            machine=machine,
            session=session,
            docker=_docker(machine),
            network=network,
        )
        jobs = [(_ours, name) for name in BASES]
        jobs += [(_theirs, name) for name in BY_DOCKER] if work.docker else []
        rungs = tuple(make(work, name) for make, name in jobs)
    return Ladder(
        name=work.application.name,
        version=work.application.version,
        platform=str(rooms.host()),
        rungs=tuple(sorted(rungs, key=lambda one: -(one.unpacked or 0))),
        docker="" if work.docker else "no Docker daemon answers here, so no Dockerfile was built",
    )


def _ours(work: Work, name: str) -> Rung:
    """Built by wherry on that base."""
    base = str(work.application.pin(BASES[name])) if BASES[name] else name
    rung = Rung(variant=name, by="wherry", base=base)
    place = f"oci:{work.scratch}/{name}:{name}"
    wanted = replace(work.build, places=(place,), settings=Settings(image=ImageSettings(base=base)))
    work.machine.events(Event(phase="variant", subject=f"wherry, {name}"))
    try:
        report = build(wanted, work.machine)
        return _measured(work, place, replace(rung, build=report.seconds))
    except WherryError as error:
        return replace(rung, why=error.message)


def _theirs(work: Work, name: str) -> Rung:
    """Built by Docker from the Dockerfile that wherry generates."""
    rung = Rung(variant=name, by="docker", base=_base(work, name))
    tag = f"localhost/wherry-variants/{work.application.name}:{name}"
    work.machine.events(Event(phase="variant", subject=f"docker, {name}"))
    try:
        began = time.monotonic()
        _built(work, name, tag)
        return _measured(work, f"docker-daemon:{tag}", replace(rung, build=time.monotonic() - began))
    except WherryError as error:
        return replace(rung, why=error.message)
    finally:
        _docker_says(work, "image", "rm", "--force", tag)


def _base(work: Work, name: str) -> str:
    """What the final stage of the Dockerfile stands on."""
    _, *below = _dockerfile(work, name).pins
    return str(below[0]) if below else "scratch"


def _built(work: Work, name: str, tag: str) -> None:
    """BuildError [docker-build] with Docker's own words."""
    folder = work.scratch / f"docker-{name}"
    folder.mkdir()
    (folder / "Dockerfile").write_text(_dockerfile(work, name).text, encoding="utf-8")
    version = ("--build-arg", f"VERSION={work.application.version}")
    network = ("--network", work.network) if work.network else ()
    words = ("--quiet", "--file", f"{folder}/Dockerfile", "--tag", tag, *version, *network)
    done = _docker_says(work, "build", *words, work.root)
    if done.code:
        said = done.stderr.decode("utf-8", "replace")
        raise BuildError("docker-build", _last(said), where=f"--variant {name}").with_output(said)


def _last(said: str) -> str:
    """The line that says what went wrong: Docker quotes the instruction after it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next(
        (one for one in reversed(lines) if one.lower().startswith(("error", "failed"))), lines[-1] if lines else ""
    )
    return f"Docker could not build it: {line[:200]}" if line else "Docker could not build it"


def _dockerfile(work: Work, name: str) -> File:
    (file,) = writer("dockerfile").write((work.application,), Choice(what="dockerfile", variant=name))
    return file


def _docker(machine: Machine) -> str:
    """The client, where its daemon answers."""
    program = machine.which("docker")
    if not program:
        return ""
    asked = Command(argv=(program, "version"), environment=_environment(machine), timeout=30.0)
    return program if machine.run(asked).code == 0 else ""


def _environment(machine: Machine) -> Pairs:
    """What the client may have, and what chooses its daemon."""
    known = dict(machine.environment.child) | {name: value for name, value in machine.variables if name in VARIABLES}
    return tuple((known | {"DOCKER_BUILDKIT": "1"}).items())


def _docker_says(work: Work, *words: str) -> Completed:
    return work.machine.run(
        Command(argv=(work.docker, *words), environment=_environment(work.machine), timeout=LONGEST)
    )


def _measured(work: Work, place: str, rung: Rung) -> Rung:
    """The rung with what its image holds, and how fast it starts where something here can start it."""
    ports = rooms.ports_with(work.machine, work.session.scratch)
    kept = rooms.blobs(work.machine, work.session.scratch, work.build)
    subject = image_at(places.parse(place), ports, kept, rooms.host())
    seen = contents_of(subject)
    rung = replace(
        rung,
        unpacked=seen.unpacked,
        packed=sum(map(_packed, subject.layers)),
        layers=len(subject.layers),
        packages=packages(subject.layers),
        shell=any(tool(one) == SHELL for one in seen.files),
        user=subject.config.user or "0",
    )
    try:
        return replace(rung, start=_started(work, place))
    except (RefusedError, UnavailableError, UnknownError) as error:
        return replace(rung, why=error.message)


def _started(work: Work, place: str) -> float | None:
    """Seconds until it was healthy, else until it listened; None where it does neither."""
    run = RunRequest(subject=place, build=work.build)
    proof = prove(ProveRequest(run=run, only=("start",)), work.machine, work.session)
    match proof.observed.start:
        case Start() as seen:
            return seen.listening_after if seen.healthy_after is None else seen.healthy_after
        case _:
            return None


def _packed(layer: Packed) -> int:
    """Bytes of a layer as a registry would send it: an engine hands layers out unpacked."""
    if media.compression(layer.media_type) != "none":
        return layer.size
    compress, size = compressor("gzip", 0), block_size("gzip")
    with disk_errors(layer.file), Path(layer.file).open("rb") as file:
        return sum(len(compress(memoryview(block))) for block in iter(lambda: file.read(size), b""))


def packages(layers: tuple[Packed, ...]) -> int:
    """How many a package manager of Debian or Alpine says there are."""
    names = set[str]()
    for layer in layers:
        for member, content in read(layer):
            if member.kind == "file" and (member.path in STATUS or member.path.startswith(DISTROLESS)):
                names |= set(PACKAGE.findall(_text(content)))
    return len(names)


def _text(content: Readable) -> str:
    parts = []
    while part := content.read(CHUNK):
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")
