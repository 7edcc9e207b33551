"""`wherry run --bundle`: what runc or crun is given, as a folder that needs nothing of wherry. A request and a folder in, the
filled folder out; nothing is started.

    DIR/config.json   DIR/rootfs/   DIR/files/    hosts, hostname, resolv.conf, secrets, init
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from wherry.errors import RefusedError, UsageError
from wherry.flows.container import (
    ID_BASE,
    ID_RANGES,
    Made,
    RunRequest,
    make,
    seccomp_of,
    secret_file,
    under_init,
    with_init,
    with_secrets,
)
from wherry.flows.session import Session
from wherry.flows.subject import copy_program
from wherry.kit.files import aside, atomic_write, disk_errors
from wherry.kit.ports import Machine
from wherry.model.container import Bind, Container
from wherry.runtime import oci, roots
from wherry.runtime.folders import OPEN, Place
from wherry.runtime.program import refuse_unstartable
from wherry.runtime.spec import IDS, SECRETS, Surroundings, destinations, spec

CONFIG: Final = "config.json"
ROOT: Final = "rootfs"
FILES: Final = "files"


def bundle(request: RunRequest, said: str, machine: Machine) -> Made:
    """Fills the new or empty folder `said`, all at once. What `make` raises; RefusedError [not-empty], UsageError
    [container-option] for a folder that a user namespace cannot enter."""
    folder = Path(said).absolute()
    _refuse_full(folder)
    with Session(machine) as session:
        made = own(replace(request, only_shown=True), machine, session)
    _refuse_closed(folder, made.container)
    with disk_errors(folder), aside(folder) as filled:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _fill(made, filled)
        filled.rename(folder)
    return made


def own(request: RunRequest, machine: Machine, session: Session) -> Made:
    """What was decided for runc or crun, whatever engine was asked for. What `make` raises."""
    made = make(replace(request, engine=request.engine if request.engine in oci.NAMES else ""), machine, session)
    if made.runtime.name not in oci.NAMES:
        raise UsageError("container-option", "a bundle is for runc and crun, and neither is here", next="install runc")
    return replace(made, container=steady(made.container))


def steady(container: Container) -> Container:
    """With ids that follow from its name, so that the same words give the same text."""
    if not container.id_base:
        return container
    number = int.from_bytes(hashlib.sha256(container.name.encode()).digest()[:2], "big")
    return replace(container, id_base=ID_BASE + number % ID_RANGES * IDS)


def configuration(made: Made) -> bytes:
    """config.json, whose paths begin at the bundle."""
    binds = tuple(_within(bind, number) for number, bind in enumerate(made.container.binds))
    container = replace(made.container, binds=binds)
    if container.init:
        container = under_init(container, made, f"{FILES}/init")
    around = Surroundings(
        id=container.name,
        root=ROOT,
        files=FILES,
        seccomp=seccomp_of(container),
        groups_shown=oci.shows_groups(made.runtime),
    )
    return msgspec.json.format(msgspec.json.encode(spec(container, around)), indent=2)


def _within(bind: Bind, number: int) -> Bind:
    return replace(bind, source=f"{FILES}/{secret_file(number)}") if bind.path.startswith(f"{SECRETS}/") else bind


def _fill(made: Made, folder: Path) -> None:
    place, container = Place(folder), made.container
    root = Path(roots.private(made.root, folder, container.id_base).path)
    (folder / roots.FACTS).unlink()
    folder.chmod(OPEN)
    place.files.mkdir(mode=OPEN)
    place.files.chmod(OPEN)
    for program in made.subject.programs:
        roots.make_point(root, program.path, file=True)
        copy_program(program.file, root / program.path.lstrip("/"))
    binds = {bind.path for bind in container.binds if not Path(bind.source).is_dir()}
    for point in destinations(container):
        roots.make_point(root, point, file=point in binds)
    with_secrets(container, place)
    refuse_unstartable(container, root)
    with_init(container, made, place)
    oci.write_files(container, place.files)
    root.rename(folder / ROOT)
    atomic_write(folder / CONFIG, configuration(made), mode=0o600)


def _refuse_full(folder: Path) -> None:
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise RefusedError("not-empty", f"{folder} is no new or empty folder", where=str(folder), next="name a new one")


def _refuse_closed(folder: Path, container: Container) -> None:
    """In a user namespace root is another, who must get to the bundle."""
    there = [one for one in folder.parents if one.is_dir() and not one.stat().st_mode & 0o001]
    if container.id_base and there:
        raise UsageError(
            "container-option",
            f"others may not enter {there[0]}, and in a user namespace root is another",
            where=f"--bundle {folder}",
            next=("a folder elsewhere", "--relax userns   with the ids of this machine"),
        )
