"""What killed processes left: containers nobody looks after any more, unpacked images nobody needs. A run folder in, what was
mended out; deletes containers by their engine, starts monitors.

A record without a holder of its lock is one of four: a foreground run that was killed (all of it is taken away), a detached
container that runs (it gets another monitor), one that ended meanwhile (its end is written), or one that never came to be.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import msgspec

from wherry.errors import UnavailableError, WherryError
from wherry.flows.engines import engine_for
from wherry.flows.handover import hand_over
from wherry.flows.monitor import Seen, conclude
from wherry.kit.ports import Machine
from wherry.kit.value import Value, decodable
from wherry.model.finding import Finding
from wherry.runtime import engines, folders, orphans, roots
from wherry.runtime.folders import Place, Record
from wherry.runtime.oci import Runtime

KEPT = 7 * 86_400.0
"""Seconds that an unpacked image stays unused."""
UNFINISHED = 3_600.0
"""Seconds after which nobody is unpacking an image any more."""


class _Root(Value, frozen=True, kw_only=True):
    path: str


class _Bundle(Value, frozen=True, kw_only=True):
    root: _Root


def sweep(run: str, machine: Machine) -> tuple[Finding, ...]:
    """Cleans up and mends; what was found is told."""
    found: list[Finding] = []
    for place in folders.places(Path(run)):
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            found += _mended(place, Path(run), machine)
    _drop_roots(Path(run), machine)
    return tuple(found)


def _mended(place: Place, run: Path, machine: Machine) -> list[Finding]:
    record = place.record()
    if record is None:
        with folders.gate(run), place.attended():  # nobody is making it: that needs the gate
            if place.record() is None:
                place.remove()
        return []
    if not record.foreground and place.end() is not None and not place.state.exists() and not record.remove:
        return []  # the usual case: it has ended, and is kept
    with place.attended():
        record = place.record()
        if record is None:
            return []
        try:
            runtime = engine_for(machine, record.engine)
        except UnavailableError as error:
            why = f"what is left of it stays until {record.engine} answers: {error.message}"
            return [] if place.end() else [_note(record.container.name, why)]
        return _orphan(place, record, runtime, machine)


def _orphan(place: Place, record: Record, runtime: Runtime, machine: Machine) -> list[Finding]:
    """One whose lock is ours now."""
    name = record.container.name
    if record.foreground:
        return _abandoned(place, name, runtime, machine)
    if place.end() is None and place.is_held():
        with contextlib.closing(machine.engage()) as attendant:
            try:
                hand_over(attendant, place, runtime, running=True)
            except WherryError as error:
                return [_note(name, f"it runs, but its monitor died and no other could be started: {error.message}")]
        return [_note(name, "its monitor had died; another one looks after it now")]
    found = []
    orphans.clear(place, machine.kill)
    never = not place.pid() and not record.started
    if place.end() is None and not never:
        end = conclude(place, runtime, Seen(code=place.code()), machine)
        how = "nobody saw how" if end.code is None else f"with status {end.code}"
        found = [_note(name, f"its monitor had died; it has ended, {how}")]
    else:
        place.shed(deleted=engines.delete(runtime, place))
    if (record.remove or never) and not place.state.exists():
        place.remove()
    return found


def _abandoned(place: Place, name: str, runtime: Runtime, machine: Machine) -> list[Finding]:
    """A foreground run whose wherry was killed, or whose engine could not take it away when it ended."""
    orphans.clear(place, machine.kill)
    if not engines.delete(runtime, place):
        return [] if place.end() else [_note(name, f"{runtime.name} cannot take it away now")]
    why = (
        "the wherry that ran it was killed" if place.end() is None else f"{runtime.name} could not take it away before"
    )
    place.remove()
    return [_note(name, f"{why}; what was left of it is taken away")]


def _note(name: str, message: str) -> Finding:
    return Finding(name="mended", severity="note", subject=name, message=message)


def _drop_roots(run: Path, machine: Machine) -> None:
    """What was not unpacked to the end, at once; what is unused, once a day at most."""
    mark, now = run / "swept", machine.now()
    with contextlib.suppress(OSError):
        for path in (run / "roots").glob(".*.tmp"):
            if path.stat().st_mtime < now - UNFINISHED:
                shutil.rmtree(path, ignore_errors=True)
        if mark.exists() and abs(now - mark.stat().st_mtime) < 86_400.0:
            return
        mark.touch()
        used = frozenset(_root_of(place) for place in folders.places(run))
        roots.drop_unused(run, used, before=now - KEPT)


def _root_of(place: Place) -> str:
    """The unpacked image that a container has; empty for one in an engine, or that has ended."""
    try:
        return msgspec.json.decode((place.bundle / "config.json").read_bytes(), type=decodable(_Bundle)).root.path
    except (OSError, msgspec.MsgspecError):
        return ""
