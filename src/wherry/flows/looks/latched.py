"""Who a program is that ends before anybody can look: another container of it, kept at its execve(2) meanwhile. A Scene in, an
Identity out; starts one container.

By then its runtime has set all that it will, and nothing of that can be taken back: filters are only added, the bounding set only
loses, and under no-new-privileges no program gains anything by being started (seccomp(2), capabilities(7), prctl(2)). So what is
seen there holds for the program; what is not yet there, or not for certain, stays unseen.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import WherryError
from wherry.flows.container import Made
from wherry.flows.held import REDUCED, reduced
from wherry.flows.live import live
from wherry.flows.looks.links import program_of
from wherry.flows.looks.scene import Scene
from wherry.flows.subject import Program, copy_program
from wherry.model.observation import Identity, Unseen
from wherry.runtime.latch import Latch
from wherry.runtime.look import identity

ENDED: Final = "it ended before anybody could look"
FOLDER: Final = "latched"
PATIENCE: Final = 10.0
"""Seconds until a busy machine has come to the program's start."""


def latched(scene: Scene) -> Identity | Unseen:
    """What is certain of it. UnavailableError [reduced-isolation]; any other failure leaves it unseen."""
    program = program_of(scene)
    if program is None:
        return Unseen(why=ENDED)
    from wherry.flows.package import fresh_folder

    folder = fresh_folder(scene.machine, FOLDER)
    try:
        latch = Latch(folder / program.name)
        copy_program(str(program), latch.file)
        return _at_its_start(_with_copy(scene.made, program, latch.file), latch, scene)
    except OSError:
        return Unseen(why=ENDED)
    except WherryError as error:
        if error.name == REDUCED:
            raise
        return Unseen(why=f"{ENDED}, and could not be started again: {error.message}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _at_its_start(made: Made, latch: Latch, scene: Scene) -> Identity | Unseen:
    with contextlib.closing(latch), live(made, scene.machine, before=latch.shut) as one:
        if not one.until(latch.is_met, PATIENCE):
            return Unseen(why=ENDED)
        who = identity(one.pid)
    if reduced(made.container, who) or not who.no_new_privileges:
        return Unseen(why=f"{ENDED}, and what it may do was not certain before its start")
    return replace(who, security=who.security and None)  # a profile is changed by execve itself (apparmor(7))


def _with_copy(made: Made, program: Path, copy: Path) -> Made:
    """The same container whose program is `copy`: a file of its own, which no other container starts."""
    mounted = next((one.path for one in made.subject.programs if one.file == str(program)), "")
    path = mounted or f"/{program.relative_to(made.root.path)}"
    others = tuple(one for one in made.subject.programs if one.path != path)
    return replace(made, subject=replace(made.subject, programs=(*others, Program(file=str(copy), path=path))))
