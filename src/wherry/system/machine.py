"""All the real ports of one run, together. Events in, a Machine out; reads the environment once."""

from __future__ import annotations

import os

from wherry.kit.ports import Events, Machine, silent
from wherry.system.clock import now
from wherry.system.environment import environment
from wherry.system.http import Network
from wherry.system.processes import Processes
from wherry.system.programs import programs


def real_machine(events: Events = silent) -> Machine:
    """This machine, as far as flows may use it."""
    known = environment()
    return Machine(
        run=Processes(),
        which=programs(known.path),
        http=Network(known.child),
        now=now,
        environment=known,
        variables=tuple(sorted(os.environ.items())),
        start=Processes,
        events=events,
    )
