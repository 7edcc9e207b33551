"""Limits. Options and this machine in, numbers and reasons out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UnavailableError, UsageError
from wherry.kit.value import Value
from wherry.model.container import Limits, Options
from wherry.model.plan import Decision, Origin
from wherry.plan.container.facts import Facts

MEMORY: Final = 256 << 20
CPUS: Final = 2.0
PIDS: Final = 256
FILES: Final = 1024
LEAST_MEMORY: Final = 6 << 20
"""Below this runtimes cannot start anything (runc itself is in the group for a moment)."""
LEAST_PIDS: Final = 5
"""Below this no Go program starts: main, the runtime's monitor, and who collects and waits; measured with Go 1.26."""
UNGROUPED: Final = "memory, processor time and processes cannot be limited here"
NO_GROUPS: Final = "you may make no control groups, and only they limit"
GROUPED: Final = ("as root", "in a login session of systemd, with cgroup v2", "--engine docker or podman")
_UNITS: Final = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE: Final = re.compile(r"(\d{1,15})\s*([bkmg]?)(?:i?b)?", re.ASCII | re.IGNORECASE)


class Limited(Value, frozen=True, kw_only=True):
    """Limits and why."""

    limits: Limits
    decisions: tuple[Decision, ...]


def decide(options: Options, facts: Facts) -> Limited:
    """All four. `--relax limits` leaves all away that were not said, and so does a machine where the user may make no control
    groups. UsageError [container-option]; UnavailableError [no-limits] for what was said and cannot be had."""
    processors, memory, grouped = facts.processors, facts.memory, facts.group is not None
    free = "limits" in options.relax or not grouped
    if not grouped and (options.memory or options.cpus or options.pids):
        raise UnavailableError("no-limits", UNGROUPED, why=NO_GROUPS, next=GROUPED)
    size = _memory(options.memory, memory) if options.memory else 0 if free else MEMORY
    cpus = _cpus(options.cpus, processors) if options.cpus else 0.0 if free else min(CPUS, float(processors))
    pids = options.pids if options.pids is not None else 0 if free else PIDS
    files = options.files if options.files is not None else FILES
    for value, name, least in ((pids, "--pids", 0), (files, "--files", 16)):
        if not least <= value <= 1 << 20:
            raise _refused(f"{name} is a number from {least} to {1 << 20}", f"{name} {value}")
    if 0 < pids < LEAST_PIDS:
        raise _refused(
            f"a Go program needs {LEAST_PIDS} threads to start", f"--pids {pids}", "50 and more, 0 for no limit"
        )
    rows = (
        ("memory", shown(size) if size else "no limit", options.memory),
        ("cpus", f"{cpus:g}" if cpus else "no limit", options.cpus),
        ("pids", str(pids) if pids else "no limit", options.pids),
    )
    decisions = tuple(
        Decision(
            name=name, value=value, reason=NO_GROUPS if not grouped else _reason(said, free=free), origin=_origin(said)
        )
        for name, value, said in rows
    )
    return Limited(limits=Limits(memory=size, cpus=cpus, pids=pids, files=files), decisions=decisions)


def shown(size: int) -> str:
    """`256 MiB`: limits are powers of two, as --memory reads them."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:g} {unit}" if size % factor == 0 else f"{size / factor:.1f} {unit}"
    return f"{size} B"


def size_of(text: str, where: str) -> int:
    """`64m`, `1g`, `512MiB`, `1048576`: bytes, in powers of two as Docker reads them. UsageError [container-option]."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise _refused(f"{text[:30]!r} is no size", where, "write it like 64m or 1g")
    return int(match[1]) * _UNITS[match[2].lower()]


def _memory(text: str, machine: int) -> int:
    size = size_of(text, f"--memory {text[:30]}")
    if size < LEAST_MEMORY:
        raise _refused(f"{shown(size)} is too little to start a program in", f"--memory {text}", "64m and more")
    if machine and size > machine:
        raise _refused(f"this machine has {shown(machine)}", f"--memory {text}", "a limit below that")
    return size


def _cpus(text: str, processors: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.01 <= value <= processors:
        raise _refused(f"this machine has {processors} processors", f"--cpus {text[:20]}", f"0.01 to {processors}")
    return value


def _reason(said: object, *, free: bool) -> str:
    return "as you said" if said not in (None, "") else "--relax limits" if free else "default"


def _origin(said: object) -> Origin:
    return "flag" if said not in (None, "") else "default"


def _refused(message: str, where: str, *steps: str) -> UsageError:
    return UsageError("container-option", message, where=where, next=steps)
