"""The application as somebody else, and on another processor. A Scene in, looks out; starts containers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import UnavailableError
from wherry.flows.container import Made, make
from wherry.flows.live import Live, live
from wherry.flows.looks.links import program_of
from wherry.flows.looks.scene import Scene, route_of, until_well
from wherry.flows.session import Session
from wherry.flows.subject import Program
from wherry.model.container import Container, Tmpfs, User
from wherry.model.observation import Needless, Nothing, Unseen
from wherry.model.trials import Emulated, Stranger
from wherry.oci.platform import Platform
from wherry.runtime.spec import IDS

ARM: Final = Platform(architecture="arm64")
PROGRAMS: Final = ("qemu-aarch64-static", "qemu-aarch64")
REGISTERED: Final = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
EMULATOR: Final = "/dev/wherry-emulator"
SLOWER: Final = 3.0
"""How much longer a start may take under an emulator, as a factor."""
WORKING: Final = 1.0
OPENSHIFT: Final = 1_000_000_000
"""Where OpenShift's ranges begin."""


def stranger(scene: Scene) -> dict[str, object]:
    """stranger."""
    container = scene.made.container
    if len(container.uids) == 1:
        return {"stranger": Unseen(why="you have no subordinate ids, so it can run as one user alone", host=True)}
    uid = _some_uid(container)
    with live(scene.made, scene.machine, lambda one: as_stranger(one, uid)) as one:
        healthy, ended = _came_up(scene, one, scene.expectations.start)
        seen = Stranger(uid=uid, healthy_after=healthy, waited=one.age, ended=ended, log=one.log.lines(3))
        return {"stranger": seen}


def as_stranger(container: Container, uid: int) -> Container:
    """The container as `uid` in group 0. Volumes belong to its group there, and so does memory here."""

    def lent(one: Tmpfs) -> Tmpfs:
        return replace(one, uid=uid, gid=0, mode=one.mode | (one.mode >> 3 & 0o070))

    return replace(container, user=User(uid=uid, gid=0), tmpfs=tuple(lent(one) for one in container.tmpfs))


def _some_uid(container: Container) -> int:
    number = int.from_bytes(os.urandom(4), "big")
    uid = 10_000 + number % (IDS - 20_000) if container.user_namespace else OPENSHIFT + number % 1_000_000
    return uid if uid != container.user.uid else uid + 1


def emulated(scene: Scene) -> dict[str, object]:
    """emulated."""
    why = _not_here(scene)
    if why:
        return {"emulated": why}
    emulator = next((path for path in map(scene.machine.which, PROGRAMS) if path), "")
    registered = _registered()
    if not emulator and not registered:
        return {"emulated": Unseen(why="qemu-user-static is not installed here", host=True)}
    with Session(scene.machine) as session:
        made = make(replace(scene.run, platform=str(ARM)), scene.machine, session)
        return {"emulated": _emulated(scene, made, emulator, registered)}


def _emulated(scene: Scene, made: Made, emulator: str, registered: str) -> Emulated:
    """The container `made` for the other processor."""
    # The emulator makes this machine's system calls, so it has this machine's profile.
    made = replace(made, container=replace(made.container, platform=scene.made.container.platform))
    there = scene.with_made(made if registered else _under(replace(scene, made=made), emulator))
    with live(there.made, scene.machine) as one:
        healthy, ended = _came_up(there, one, scene.expectations.start * SLOWER)
        route = route_of(made.container.health)
        answer = there.get(one, route[1], seconds=20.0) if route and ended is None else None
        return Emulated(
            platform=str(made.subject.platform),
            emulator=registered or Path(emulator).name,
            healthy_after=healthy,
            waited=one.age,
            answer=f"GET {route[1]} {answer.status}" if route and answer else "",
            ended=ended,
            log=one.log.lines(3),
        )


def _not_here(scene: Scene) -> Nothing | None:
    """Why there is nothing to look at, if that is so."""
    subject = scene.made.subject
    if subject.platform.architecture == ARM.architecture:
        return Needless(why="it was proved on arm64 itself")
    if not any(one.architecture == ARM.architecture for one in subject.platforms):
        return Needless(why=f"it is for {', '.join(map(str, subject.platforms)) or subject.platform} alone")
    if scene.made.runtime.name not in ("runc", "crun"):
        return Unseen(
            why=f"another processor is tried under runc and crun, not under {scene.made.runtime.name}", host=True
        )
    return None


def _registered() -> str:
    """The interpreter that the kernel itself opened when it was registered (flag F): it needs no file in the root."""
    try:
        rows = dict(line.partition(" ")[::2] for line in REGISTERED.read_text().splitlines())
    except OSError:
        return ""
    return rows.get("interpreter", "") if "F" in rows.get("flags:", "") and "enabled" in rows else ""


def _under(scene: Scene, emulator: str) -> Made:
    """The same container, its program started by an emulator that is mounted beside it."""
    made, container = scene.made, scene.made.container
    program = program_of(scene)
    if program is None:
        raise UnavailableError("no-entrypoint", f"the image has no program {container.arguments[0]}")
    mounted = next((one.path for one in made.subject.programs if one.file == str(program)), "")
    path = mounted or f"/{program.relative_to(made.root.path)}"
    programs = (*made.subject.programs, Program(file=emulator, path=EMULATOR))
    return replace(
        made,
        subject=replace(made.subject, programs=programs),
        container=replace(
            container,
            arguments=(EMULATOR, path, *container.arguments[1:]),
            health=container.health if route_of(container.health) else None,  # nobody would start its command so
        ),
    )


def _came_up(scene: Scene, one: Live, seconds: float) -> tuple[float | None, int | None]:
    """Seconds until it was healthy, and its exit code when it ended instead. What serves nothing is well while it works, and when
    it ended with 0."""
    if not scene.serves:
        code = one.wait(WORKING)
        return (one.age if not code else None), code
    answer = until_well(scene, one, seconds)
    return (one.age if answer else None), one.wait(0.0)
