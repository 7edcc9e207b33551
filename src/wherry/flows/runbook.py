"""The containers of this machine: names in, what they are and what became of them out. What wherry ps, stop, rm and stats say.

Every look begins by mending what dead monitors left (flows/sweep.py).
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.flows.engines import run_folder
from wherry.flows.followed import TELLING
from wherry.flows.sweep import sweep
from wherry.kit.ports import Machine
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.plan.container.decide import signal_name
from wherry.runtime import cgroups, folders
from wherry.runtime.folders import End, Place, Record, Stopping
from wherry.runtime.health import Condition
from wherry.runtime.logs import last_lines
from wherry.runtime.look import lives, until_it_hears

State = Literal["starting", "running", "ended"]
STEP: Final = 0.01
AFTER_KILL: Final = 20.0
"""Seconds from SIGKILL until somebody must have seen the end."""
AFTER_END: Final = 5.0
LINES: Final = 10
MOMENT: Final = 0.1
"""Seconds between the two looks at its use of processors."""


class Kept(Value, frozen=True, kw_only=True):
    """One container as it is now."""

    record: Record
    place: Place
    state: State
    pid: int = 0
    end: End | None = None
    condition: Condition | None = None


class Shelf(Value, frozen=True, kw_only=True):
    """All containers, the oldest first, and what was mended before."""

    all: tuple[Kept, ...]
    findings: tuple[Finding, ...] = ()


class Stopped(Value, frozen=True, kw_only=True):
    """What became of one that was asked to stop."""

    record: Record
    end: End
    """`lost` where nothing of it was to be kept."""
    seconds: float
    was_over: bool = False
    """It had ended before."""
    said: str = ""
    """Its last words."""


class Measured(Value, frozen=True, kw_only=True):
    """What a container uses."""

    record: Record
    usage: cgroups.Usage
    processors: float | None
    """Processors' worth of time, between the last two looks."""


def shelf(machine: Machine) -> Shelf:
    """What there is."""
    run = run_folder(machine)
    findings = sweep(str(run), machine) if run.is_dir() else ()
    return Shelf(all=tuple(kept for place in folders.places(run) if (kept := look(place))), findings=findings)


def look(place: Place) -> Kept | None:
    """One container now; None when it is gone."""
    record = place.record()
    if record is None:
        return None
    end = place.end()
    pid = 0 if end else place.pid()
    state: State = "ended" if end else "running" if pid else "starting"
    return Kept(record=record, place=place, state=state, pid=pid, end=end, condition=place.condition())


def named(name: str, machine: Machine) -> Kept:
    """The container of that name or id. UsageError [no-such-container]."""
    run = run_folder(machine)
    if run.is_dir():
        sweep(str(run), machine)
    place = folders.find(run, name)
    kept = look(place) if place else None
    if kept is None:
        raise missing(name, run)
    return kept


def kept_or_none(name: str, machine: Machine) -> Kept | None:
    """The same, None when there is none; without mending when nothing is called so."""
    run = run_folder(machine)
    if "/" in name or ":" in name or folders.find(run, name) is None:
        return None
    return named(name, machine)


def names(machine: Machine) -> tuple[str, ...]:
    """What all containers are called, without a look at what they do."""
    known = (place.record() for place in folders.places(run_folder(machine)))
    return tuple(record.container.name for record in known if record)


def missing(name: str, run: Path) -> UsageError:
    """The error for a name that no container has."""
    known = tuple(record.container.name for place in folders.places(run) if (record := place.record()))
    near = closest(name, known)
    hint = f"; did you mean {near}?" if near else ""
    return UsageError("no-such-container", f"there is no container {name[:80]!r}{hint}", next="wherry ps --all")


def running(name: str, machine: Machine) -> Kept:
    """The same, for what can only be done to one that runs. UsageError [not-running]."""
    kept = named(name, machine)
    if kept.state != "running":
        raise UsageError(
            "not-running",
            f"{kept.record.container.name} does not run",
            why="it has ended" if kept.end else "it is being started",
            next=f"wherry logs {shlex.quote(kept.record.container.name)}",
        )
    return kept


def stop(kept: Kept, machine: Machine, *, by: str = "", grace: float | None = None) -> Stopped:
    """The stop signal (`by`: another one), its grace in seconds, then SIGKILL; returns when it has ended. UsageError
    [container-option], [not-stopped]."""
    container = kept.record.container
    number = int(signal.Signals[signal_name(by or container.stop_signal)])
    if kept.end is not None:
        return Stopped(record=kept.record, end=kept.end, seconds=0.0, was_over=True, said=last_words(kept.place))
    patience, began = container.grace if grace is None else grace, time.monotonic()
    asked = Stopping(
        why="stopped" if number != signal.SIGKILL else "killed", by=signal.Signals(number).name, grace=patience
    )
    with contextlib.suppress(FileNotFoundError):
        kept.place.will_stop(asked)
    until_it_hears(kept.place.pid(), number)
    _signal(kept, number, machine)
    end = _ended(kept.place, patience)
    if end is None and kept.pid and not lives(kept.pid):
        end = _ended(kept.place, TELLING)
    if end is None:
        with contextlib.suppress(FileNotFoundError):
            kept.place.will_stop(replace(asked, why="killed"))
        _signal(kept, signal.SIGKILL, machine)
        end = _ended(kept.place, AFTER_KILL)
    if end is None:
        raise UsageError("not-stopped", f"{container.name} does not end, not even by SIGKILL", next="wherry doctor")
    seconds = time.monotonic() - began
    _settled(kept.place)
    return Stopped(record=kept.record, end=end, seconds=seconds, said=last_words(kept.place))


def last_words(place: Place) -> str:
    """The last lines that are kept of its output."""
    return b"\n".join(line.text for line in last_lines(place.logs, LINES)).decode("utf-8", "replace")


def remove(kept: Kept, machine: Machine, *, force: bool = False) -> None:
    """Takes it away, its log too. UsageError [still-running] unless `force`."""
    name = kept.record.container.name
    if kept.state != "ended":
        if not force:
            raise UsageError(
                "still-running",
                f"{name} runs",
                next=(f"wherry stop {shlex.quote(name)}", f"wherry rm --force {shlex.quote(name)}"),
            )
        stop(kept, machine, by="KILL")
    with contextlib.suppress(FileNotFoundError), kept.place.attended(wait=True):
        kept.place.remove()


def measured(all_of: Iterable[Kept], before: dict[str, tuple[float, float]]) -> tuple[Measured, ...]:
    """What each that runs uses now. `before`: what the last look saw, by id, as (clock, processor seconds); it is brought up
    to date."""
    found = []
    for kept in all_of:
        began = time.monotonic()
        try:
            used = cgroups.usage(cgroups.group_of(kept.pid))
        except OSError:
            continue
        now, known, rate = time.monotonic(), before.get(kept.record.id), None
        if used.cpu_seconds is not None:
            before[kept.record.id] = (began, used.cpu_seconds)
            if known and now > known[0]:  # not less time than it had: a look may take long on a busy machine
                rate = (used.cpu_seconds - known[1]) / (now - known[0])
        found.append(Measured(record=kept.record, usage=used, processors=rate))
    return tuple(found)


def measured_now(kept: Kept) -> tuple[Measured, ...]:
    """One container's use, its processors over a short moment."""
    before: dict[str, tuple[float, float]] = {}
    measured((kept,), before)
    time.sleep(MOMENT)
    return measured((kept,), before)


def _signal(kept: Kept, number: int, machine: Machine) -> None:
    pid = kept.place.pid()
    if not pid:
        return
    try:
        machine.kill(pid, number)
    except PermissionError as error:
        raise UsageError(
            "not-stopped", f"{kept.record.container.name} is somebody else's", why=str(error.strerror),
            next="as the user that started it",
        ) from error  # fmt: skip


def _ended(place: Place, seconds: float) -> End | None:
    """Its end, within that time."""
    return _until(lambda: place.end() or (None if place.path.is_dir() else End(why="lost")), seconds)


def _settled(place: Place) -> None:
    """Returns when its monitor has taken away what was left of it, and is gone."""
    limit = time.monotonic() + AFTER_END
    with contextlib.suppress(FileNotFoundError):
        while place.is_attended() and time.monotonic() < limit:
            time.sleep(STEP)


def _until(what: Callable[[], End | None], seconds: float) -> End | None:
    limit = time.monotonic() + seconds
    while (found := what()) is None and time.monotonic() < limit:
        time.sleep(STEP)
    return found
