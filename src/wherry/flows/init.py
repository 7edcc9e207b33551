"""`wherry init`: a repository in, wherry.toml and chosen files out. Reads the sources, writes files.

What it writes says what `wherry plan` had decided anyway, so nothing changes but that people see it, and may change it.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from msgspec.structs import replace

from wherry.flows import rooms, written
from wherry.flows.edited import refuse_edited, remember
from wherry.flows.generate import (
    Generated,
    GenerateRequest,
    applications_of,
    committable,
    known_in,
    made,
    planned_of,
    refuse,
    seen_of,
    together,
)
from wherry.flows.lock import named_by_settings
from wherry.flows.plan import Planned
from wherry.flows.request import BuildRequest
from wherry.flows.wishes import Known, Seen, Wish, shared
from wherry.generate.header import Command
from wherry.generate.initial import settings
from wherry.kit.ports import Machine
from wherry.kit.text import dotted
from wherry.kit.value import Value
from wherry.model.file import Choice
from wherry.model.finding import Finding

SAID = "wherry init"
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
    planned = planned_of(_all(build, machine), machine)
    images = planned.plan.images
    programs = zip((image.name for image in images), _folders(planned, rooms.standing(build)), strict=True)
    return Found(programs=tuple(programs), ports=all(image.ports for image in images))


def init(request: InitRequest, machine: Machine) -> Generated:
    """wherry.toml where one stands, unless it is there, and the files that were chosen: all or none. RefusedError [file-exists]
    for those that somebody else wrote, [edited-file]."""
    here = rooms.standing(request.build)
    planned = planned_of(_all(request.build, machine), machine)
    applications, root = applications_of(planned, machine)
    home = os.path.relpath(here, root)
    images = tuple(zip(planned.plan.images, applications, strict=True))
    several = len(planned.reading.project.mains) > 1
    first = settings(images, _folders(planned, here) if several else ())
    seen = _from(home, Seen(applications=applications, root=root))
    compared, _ = written.compared(
        Path(root), (first,), Command(choice=Choice(what="init"), home=home), lambda _: False
    )
    own = _first(compared, request)
    wishes = _wishes(request, own, seen, known_in(planned.layout, machine))
    wanted = GenerateRequest(build=request.build, mode="diff" if request.show else "write")

    @functools.cache
    def see(build: BuildRequest) -> Seen:
        return seen if build == request.build else _from(home, seen_of(build, machine))

    def whole(*, pin: bool) -> Generated:
        files = (made(one, replace(wanted, pin=pin), see, machine) for one in wishes)
        return together(root, (own, *files))

    if request.show:
        return whole(pin=False)
    refuse(found := whole(pin=False), SAID, overwrite=request.overwrite)
    if not request.overwrite:
        refuse_edited(found.changes, planned.layout, machine, SAID)
    done = whole(pin=True)
    written.write(Path(root), done.changes)
    remember(done.changes, machine)
    return committable(done, planned.layout, machine)


def _from(home: str, seen: Seen) -> Seen:
    """The same with all files where wherry.toml will be."""
    return replace(seen, applications=tuple(replace(one, home=home) for one in seen.applications))


def _wishes(request: InitRequest, own: Generated, seen: Seen, known: Known) -> tuple[Wish, ...]:
    """A wherry.toml that stays may name other programs than the words here: then first lines say which these are."""
    said = () if own.changes else request.build.packages
    brought = tuple(Choice(what=what) for what in ALWAYS if what not in {one.what for one in request.choices})
    return tuple(
        shared(Wish(choice=replace(one, packages=said), build=request.build, brought=one in brought), seen, known)
        for one in (*brought, *request.choices)
    )


def _first(own: tuple[written.Change, ...], request: InitRequest) -> Generated:
    """wherry.toml, where there is none; one that is there is its reader's."""
    theirs = tuple(one for one in own if one.state == "foreign" and not request.overwrite and not request.show)
    told = tuple(
        Finding(
            name="file-exists",
            message=f"{one.path} is there, and stays as it is",
            severity="note",
            next="wherry init --diff, or --overwrite",
        )
        for one in theirs
    )
    return Generated(root="", changes=tuple(one for one in own if one not in theirs), findings=told)


def _all(build: BuildRequest, machine: Machine) -> BuildRequest:
    """Every program, where neither words nor settings name some."""
    named = build.packages or named_by_settings(build, machine)
    return build if named else replace(build, packages=("./...",))


def _folders(planned: Planned, here: Path) -> tuple[str, ...]:
    """The folder of each image's first program, as one writes it `here`."""
    mains = {one.import_path: one.directory for one in planned.reading.project.mains}
    paths = (mains[image.targets[0].import_path] for image in planned.plan.images)
    return tuple(dotted(os.path.relpath(f"{planned.plan.root}/{path}", here)) for path in paths)
