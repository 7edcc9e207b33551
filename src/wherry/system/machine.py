"""All the real ports of one run, together. Events in, a Machine out; reads the environment once."""

from __future__ import annotations

import os

from wherry.kit.ports import Events, Machine, silent
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
        events=events,
    )


def _plain(docker_host: str) -> tuple[str, ...]:
    """The host that a DOCKER_HOST of tcp:// names: the user chose to ask it without TLS."""
    scheme, _, rest = docker_host.partition("://")
    return (rest.rstrip("/"),) if scheme in ("tcp", "http") else ()
