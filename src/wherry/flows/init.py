"""`wherry init`: a repository in, wherry.toml and chosen files out. Reads the sources, writes files.

What it writes says what `wherry plan` had decided anyway, so nothing changes but that people see it, and may change it.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from wherry.flows import rooms, written
from wherry.flows.generate import Generated, Seen, applications_of, planned_of, refuse_foreign, released
from wherry.flows.plan import Planned
from wherry.flows.request import BuildRequest
from wherry.generate.header import Command, writer
from wherry.generate.initial import settings
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.file import Choice, File

ALWAYS = ("dockerignore",)
"""Made without being asked for: any build by Docker wants it."""


class Found(Value, frozen=True, kw_only=True):
    """What there is to ask about."""

    programs: tuple[tuple[str, str], ...]
    """Name and folder of each program, the folder as one writes it here."""
    ports: bool
    """Whether every program has a port."""


class InitRequest(Value, frozen=True, kw_only=True):
    """One `wherry init`, with all that was asked answered."""

    build: BuildRequest = BuildRequest()
    """Its packages are the programs that were chosen; empty: all. What else was answered are its assignments."""
    choices: tuple[Choice, ...] = ()
    """What to generate, too."""
    show: bool = False
    """Write nothing."""
    overwrite: bool = False


def look(build: BuildRequest, machine: Machine) -> Found:
    """The programs of the repository. The errors of `plan`."""
    planned = planned_of(_all(build), machine)
    images = planned.plan.images
    programs = zip((image.name for image in images), _folders(planned, rooms.standing(build)), strict=True)
    return Found(programs=tuple(programs), ports=all(image.ports for image in images))


def init(request: InitRequest, machine: Machine) -> Generated:
    """wherry.toml where one stands, and the files that were chosen: all or none. RefusedError [file-exists] for what is there
    already."""
    here = rooms.standing(request.build)
    planned = planned_of(_all(request.build), machine)
    applications, root = applications_of(planned, machine)
    home = os.path.relpath(here, root)
    applications = tuple(replace(one, home=home) for one in applications)
    images = tuple(zip(planned.plan.images, applications, strict=True))
    several = len(planned.reading.project.mains) > 1
    first = settings(images, _folders(planned, here) if several else ())
    changes = list(_changes(Path(root), (first,), Command(choice=Choice(what="init"), home=home)))
    brought = (Choice(what=what) for what in ALWAYS if what not in {one.what for one in request.choices})
    seen = Seen(applications=applications, root=root)
    for wanted in (*brought, *request.choices):
        choice = released(wanted, seen)
        files = writer(choice.what).write(applications, choice)
        changes += _changes(Path(root), files, Command(choice=choice, home=home))
    made = Generated(root=root, changes=tuple({one.path: one for one in changes}.values()))
    if not request.show:
        refuse_foreign(made, "wherry init", overwrite=request.overwrite)
        written.write(Path(root), made.changes)
    return made


def _changes(root: Path, files: tuple[File, ...], command: Command) -> tuple[written.Change, ...]:
    return written.compared(root, files, command)


def _all(build: BuildRequest) -> BuildRequest:
    """Every program, where none was named."""
    return build if build.packages else replace(build, packages=("./...",))


def _folders(planned: Planned, here: Path) -> tuple[str, ...]:
    """The folder of each image's first program, as one writes it `here`."""
    mains = {one.import_path: one.directory for one in planned.reading.project.mains}
    paths = (mains[image.targets[0].import_path] for image in planned.plan.images)
    return tuple(_dotted(os.path.relpath(f"{planned.plan.root}/{path}", here)) for path in paths)


def _dotted(folder: str) -> str:
    return folder if folder.split("/", 1)[0] in (".", "..") else f"./{folder}"
