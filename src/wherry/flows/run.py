"""`wherry run`: a word and options in, a hardened container that ran to its end out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from msgspec.structs import replace

from wherry.flows import attend
from wherry.flows.container import Made, Ready, RunRequest, make, placed
from wherry.flows.session import Session
from wherry.flows.sweep import sweep
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.runtime import engines
from wherry.runtime.folders import End, Record
from wherry.runtime.forward import Forwarder


class Watcher(Value, frozen=True, kw_only=True):
    """Who hears what happens meanwhile."""

    write: attend.Write
    """The program's own words."""
    decided: Callable[[Container], None]
    """Before anything is started."""
    started: Callable[[Record], None]
    """When the program runs."""


class Ran(Value, frozen=True, kw_only=True):
    """A container that has ended."""

    container: Container
    end: End


def run(request: RunRequest, machine: Machine, watcher: Watcher, session: Session | None = None) -> Ran:
    """Builds if need be, runs until the program's end. What `make` and `placed` raise; UsageError [port-in-use]; UnavailableError
    [cannot-start]; BuildError [no-entrypoint] and its like."""
    with contextlib.ExitStack() as held:
        made = make(request, machine, session or held.enter_context(Session(machine)))
        sweep(made.run, machine)
        watcher.decided(made.container)
        ready = held.enter_context(placed(made, machine))
        return Ran(container=made.container, end=foreground(made, ready, machine, watcher))


def foreground(made: Made, ready: Ready, machine: Machine, watcher: Watcher) -> End:
    """Starts what is ready, and stays until it has ended."""
    with contextlib.ExitStack() as held:
        ports = held.enter_context(contextlib.closing(Forwarder(made.container.publish, machine.dial)))
        streams = held.enter_context(attend.pipes(watcher.write))
        child = engines.start(made.runtime, ready.place, streams)
        streams.close()
        ports.to(ready.place.pid())
        record = replace(ready.record, addresses=ports.addresses)
        ready.place.keep(record)
        watcher.started(record)
        one = attend.Attended(container=made.container, place=ready.place, runtime=made.runtime, child=child)
        return attend.until_end(one, machine)
