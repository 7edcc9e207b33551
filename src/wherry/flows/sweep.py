"""What killed runs left: containers nobody looks after any more, unpacked images nobody needs. A run folder in, nothing out;
deletes containers by their runtime."""

from __future__ import annotations

import contextlib
from pathlib import Path

from wherry.errors import UnavailableError
from wherry.flows.engines import engine_for
from wherry.kit.ports import Machine
from wherry.runtime import engines, folders, roots

KEPT = 7 * 86_400.0
"""Seconds that an unpacked image stays unused."""


def sweep(run: str, machine: Machine) -> int:
    """Cleans up after killed foreground runs: program, groups, mounts and folder; what an engine that does not answer has waits.
    Returns how many there were."""
    found = 0
    for place in folders.places(Path(run)):
        record = place.record()
        if record is not None and not record.foreground:
            continue
        with contextlib.suppress(BlockingIOError, FileNotFoundError, UnavailableError), place.attended():
            if record is not None:
                engines.delete(engine_for(machine, record.engine), place)
            place.remove()
            found += 1
    _drop_roots(Path(run), machine)
    return found


def _drop_roots(run: Path, machine: Machine) -> None:
    """Once a day at most."""
    mark = run / "swept"
    now = machine.now()
    with contextlib.suppress(OSError):
        if mark.exists() and abs(now - mark.stat().st_mtime) < 86_400.0:
            return
        mark.touch()
        used = frozenset(record.root for place in folders.places(run) if (record := place.record()))
        roots.drop_unused(run, used, before=now - KEPT)
