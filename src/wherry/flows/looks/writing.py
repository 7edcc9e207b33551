"""What the application itself wants to write and may not, as the kernel tells of each of its system calls. A Scene in, Refused
out; starts one container, whose seccomp profile allows just what it always does.

Where that cannot be watched, its own log is asked (`exercise`): a program may try, and say nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import UnavailableError
from wherry.flows.container import seccomp_of
from wherry.flows.live import Live, live
from wherry.flows.looks.links import within
from wherry.flows.looks.scene import Scene, routes_of, until_healthy
from wherry.formats import syscalls
from wherry.formats.seccomp import encode, to_docker
from wherry.kit.notices import Wanted, Watching
from wherry.model.observation import Unseen
from wherry.model.recording import Recording
from wherry.model.trials import Refused
from wherry.runtime.record.filter import recording_filter, refused
from wherry.runtime.record.recorder import Recorder

#: docker drops a profile's listener.
WATCHED: Final = ("runc", "crun", "podman")
AFTER: Final = 0.3
"""Seconds for what comes after the answers."""
PATIENCE: Final = 3.0
"""Seconds for each answer, and for what cannot be asked: what a program writes it mostly writes at its start."""


def writing(scene: Scene) -> dict[str, object]:
    """refused."""
    architecture = scene.made.container.platform.architecture
    if scene.made.runtime.name not in WATCHED or architecture not in syscalls.COLUMNS:
        raise UnavailableError("no-watch", f"under {scene.made.runtime.name} its system calls cannot be watched")
    recording, worked = _recorded(scene, architecture)
    if recording.trouble or not recording.started:
        raise UnavailableError("no-watch", recording.trouble or "its system calls were not told of")
    root = Path(scene.made.root.path)
    paths = sorted({one.path for one in recording.files if one.intent == "write" and one.state == "denied"})
    # To make a folder that is there is no loss, and is refused all the same.
    lost = tuple(path for path in paths if not _is_folder(root, path))
    if not lost and not worked:
        return {"refused": Unseen(why="it was not well in time, so what it writes at work was not seen")}
    return {"refused": Refused(paths=lost)}


def _recorded(scene: Scene, architecture: str) -> tuple[Recording, bool]:
    """What it did, and whether it came to its work, or to its end."""
    base = seccomp_of(scene.made.container)
    numbers = {name: number for number, name in syscalls.names(architecture).items()}
    wrong, silent = refused(base), frozenset(numbers)
    watching: list[Watching] = []
    recorder = Recorder(architecture, silent, lambda: watching[0].counts)
    wanted = Wanted(
        shown=recorder.shown, refused=tuple((numbers[name], code) for name, code in wrong.items() if name in numbers)
    )
    with scene.machine.watch(wanted, recorder.see) as watch:
        watching.append(watch)
        file = Path(scene.session.scratch, f"seccomp-{os.urandom(4).hex()}.json")
        file.write_bytes(encode(to_docker(recording_filter(base, architecture, silent, watch.address))))
        with live(scene.made, scene.machine, lambda one: replace(one, seccomp=str(file))) as one:
            well = _is_well(scene, one)
            for route in routes_of(scene) if well and scene.port else ():
                scene.get(one, route, seconds=PATIENCE)
            ended = one.wait(0.0) is not None
            if not ended:
                time.sleep(AFTER)
    return recorder.recording(frozenset(wrong), watch.trouble), well or ended or not scene.serves


def _is_well(scene: Scene, one: Live) -> bool:
    """Whether it can be asked; who was seen to be never well has PATIENCE for what it writes first."""
    seconds = scene.expectations.start if scene.serves else PATIENCE
    return until_healthy(scene, one, seconds, lambda: scene.unwell.is_set() and one.age > PATIENCE) is not None


def _is_folder(root: Path, path: str) -> bool:
    found = within(root, path)
    return found is not None and found.is_dir()
