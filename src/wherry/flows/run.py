"""`wherry run`: a word and options in, a hardened container that ran to its end, or goes on by itself, out."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.flows import attend, health
from wherry.flows.container import Made, Ready, RunRequest, make, placed
from wherry.flows.daily import fresh
from wherry.flows.followed import Followed, refuse_loss
from wherry.flows.handover import hand_over
from wherry.flows.held import refuse_reduced
from wherry.flows.monitor import lead, openings
from wherry.flows.session import Session
from wherry.flows.sweep import sweep
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.model.finding import Finding
from wherry.runtime import engines, folders
from wherry.runtime.folders import End, Place, Record
from wherry.runtime.health import Condition
from wherry.runtime.kernel_log import KernelLog
from wherry.runtime.logs import Keep, Line, last_lines

EARLY: Final = 0.1
"""Seconds in which a program that cannot start has usually ended."""
STEP: Final = 0.005
LINES: Final = 10


class Watcher(Value, frozen=True, kw_only=True):
    """Who hears what happens meanwhile."""

    write: attend.Write
    """The program's own words."""
    decided: Callable[[Container], None]
    """Before anything is started."""
    started: Callable[[Record], None]
    """When the program runs."""
    condition: Callable[[Condition], None]
    """After each look at its health."""
    found: Callable[[tuple[Finding, ...]], None]
    """What was mended of containers before."""
    quiet: bool = False
    """Nobody reads what was decided, so nothing of it counts as told."""


class Ran(Value, frozen=True, kw_only=True):
    """A container that has ended."""

    container: Container
    end: End


def run(request: RunRequest, machine: Machine, watcher: Watcher, session: Session | None = None) -> Ran:
    """Builds if need be, runs until the program's end. What `make` and `placed` raise; UsageError [port-in-use]; UnavailableError
    [cannot-start]; BuildError [no-entrypoint] and its like."""
    with contextlib.ExitStack() as held:
        made = make(request, machine, session or held.enter_context(Session(machine)))
        watcher.found(sweep(made.run, machine))
        _refuse_taken(made, machine)
        made, ready = _placed(held, made, request, machine)
        watcher.decided(made.container if watcher.quiet else fresh(made.container, machine))
        return Ran(container=made.container, end=foreground(made, ready, machine, watcher))


class Detached(Value, frozen=True, kw_only=True):
    """What is to become of a container that goes on by itself."""

    remove: bool = False
    """Nothing of it is kept when it ends."""
    keep: Keep = Keep()


class Going(Value, frozen=True, kw_only=True):
    """A container that goes on by itself."""

    record: Record
    end: End | None = None
    """It has ended already."""
    said: tuple[Line, ...] = ()
    """Its last words, if so."""


def detach(
    request: RunRequest, wanted: Detached, machine: Machine, watcher: Watcher, session: Session | None = None
) -> Going:
    """Builds if need be, starts, and returns when it runs, with a monitor of its own. The errors of `run`."""
    with contextlib.ExitStack() as held:
        attendant = held.enter_context(contextlib.closing(machine.engage()))  # it starts while images are unpacked
        made = make(request, machine, session or held.enter_context(Session(machine)))
        watcher.found(sweep(made.run, machine))
        _refuse_taken(made, machine)
        made, ready = _placed(held, made, request, machine, foreground=False)
        watcher.decided(made.container if watcher.quiet else fresh(made.container, machine))
        ready.place.keep(replace(ready.record, keep=wanted.keep))
        hand_over(attendant, ready.place, made.runtime, running=False)
        record = ready.place.record() or ready.record
        watcher.started(record)
    return _early(record, ready.place, wanted)


def _refuse_taken(made: Made, machine: Machine) -> None:
    """Before anything is told of a container that cannot be had: UsageError [port-in-use], [container-option]; UnavailableError
    [port-refused]. Whoever starts it listens himself, so a port that is taken meanwhile is told then."""
    if wanted := openings(made.container, made.runtime):
        machine.forward(wanted).close()


def _placed(
    held: contextlib.ExitStack, made: Made, request: RunRequest, machine: Machine, *, foreground: bool = True
) -> tuple[Made, Ready]:
    """A folder for it; where somebody took its name meanwhile, and the user did not choose it, with another one."""
    while True:
        try:
            return made, held.enter_context(placed(made, machine, foreground=foreground, remove=foreground))
        except UsageError as error:
            if error.name != "name-taken" or request.options.name:
                raise
            name = folders.fresh_name(Path(made.run), made.subject.title)
            made = replace(made, container=replace(made.container, name=name))


def _early(record: Record, place: Place, wanted: Detached) -> Going:
    """Whether it ended at once, which nobody wants to find out later."""
    limit = time.monotonic() + EARLY
    while (end := place.end()) is None and time.monotonic() < limit:
        time.sleep(STEP)
    said = last_lines(place.logs, LINES) if end else ()
    if wanted.remove:
        with contextlib.suppress(FileNotFoundError):
            place.keep(replace(record, remove=True))
            if place.end() is not None:
                with place.attended(wait=True):  # until its monitor is done with it
                    if not place.state.exists():
                        place.remove()
    return Going(record=record, end=end, said=said)


def foreground(made: Made, ready: Ready, machine: Machine, watcher: Watcher) -> End:
    """Starts what is ready, and stays until it has ended."""
    with contextlib.ExitStack() as held:
        ports = held.enter_context(contextlib.closing(machine.forward(openings(made.container, made.runtime))))
        streams = held.enter_context(attend.pipes(watcher.write))
        log = held.enter_context(contextlib.closing(KernelLog()))
        child = engines.start(made.runtime, ready.place, streams)
        streams.close()
        followed = Followed(child, ready.place, machine.kill)
        one = attend.Attended(
            container=made.container, place=ready.place, runtime=made.runtime, child=followed, log=log
        )
        refuse_reduced(one, machine)
        record = replace(ready.record, addresses=ports.addresses, started=machine.now())
        ready.place.keep(record)
        over = threading.Event()
        held.callback(over.set)
        told = (one, machine, lambda now: _told(now, one.place, watcher), over)

        def begun() -> None:
            lead(ports, ready.place)  # who is answered may interrupt it
            watcher.started(record)
            threading.Thread(target=health.watched, args=told, name="health", daemon=True).start()

        end = attend.until_end(one, machine, begun)
        over.set()
        refuse_loss(followed, made.runtime.name, made.container.name)
        return end


def _told(now: Condition, place: Place, watcher: Watcher) -> None:
    place.is_now(now)
    watcher.condition(now)
