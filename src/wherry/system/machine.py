"""All the real ports of one run, together. Events in, a Machine out; reads the environment once."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from wherry.kit.attending import Attendant, Forwarding, Opening
from wherry.kit.notices import Overhearing, See, Wanted, Watching
from wherry.kit.ports import Answer, Events, Machine, silent
from wherry.system.children import kill, spawn
from wherry.system.clock import now
from wherry.system.environment import environment
from wherry.system.http import Network
from wherry.system.namespaces import dial
from wherry.system.processes import Processes
from wherry.system.programs import programs


def real_machine(events: Events = silent) -> Machine:
    """This machine, as far as flows may use it."""
    known = environment()
    return Machine(
        run=Processes(),
        which=programs(known.path),
        http=Network(known.child, plain=_plain(known.docker_host)),
        now=now,
        environment=known,
        variables=tuple(sorted(os.environ.items())),
        start=Processes,
        spawn=spawn,
        kill=kill,
        dial=dial,
        ask=_ask,
        forward=_forward,
        engage=_engage,
        watch=_watch,
        overhear=_overhear,
        events=events,
    )


def _ask(pid: int, port: int, path: str, /, seconds: float = 5.0) -> Answer:
    """Imported when an application is asked."""
    from wherry.system.asking import ask

    return ask(pid, port, path, seconds)


def _forward(openings: tuple[Opening, ...], /) -> Forwarding:
    """Imported when a port is published."""
    from wherry.system.forwarding import Forwarder

    return Forwarder(openings)


def _engage() -> Attendant:
    """Imported when a container is detached."""
    from wherry.system.attendants import engage

    return engage()


def _watch(wanted: Wanted, see: See, /) -> AbstractContextManager[Watching]:
    """Imported when somebody watches: few do."""
    from wherry.system.notices import watch

    return watch(wanted, see)


def _overhear() -> AbstractContextManager[Overhearing]:
    """Likewise."""
    from wherry.system.overheard import overhear

    return overhear()


def _plain(docker_host: str) -> tuple[str, ...]:
    """The host that a DOCKER_HOST of tcp:// names: the user chose to ask it without TLS."""
    scheme, _, rest = docker_host.partition("://")
    return (rest.rstrip("/"),) if scheme in ("tcp", "http") else ()
