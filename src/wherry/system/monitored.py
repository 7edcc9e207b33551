"""The ports of a monitor: few, and quick to import. Nothing in, a Machine out."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from wherry.kit.ports import Environment, Machine, silent
from wherry.system.children import kill, spawn
from wherry.system.clock import now
from wherry.system.forwarding import Forwarder
from wherry.system.namespaces import dial
from wherry.system.processes import Processes


def monitored_machine() -> Machine:
    """This machine as far as a monitor uses it; every other port is a wall: no HTTP, no programs by name."""
    ports: dict[str, Any] = dict.fromkeys(Machine.__struct_fields__, _wall)
    ports |= {
        "run": Processes(),
        "now": now,
        "environment": Environment(home="/"),
        "variables": tuple(sorted(os.environ.items())),
        "start": Processes,
        "spawn": spawn,
        "kill": kill,
        "dial": dial,
        "forward": Forwarder,
        "events": silent,
    }
    return Machine(**ports)


def _wall(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a monitor has no such port")
