"""What `wherry run` finds on this machine: runtimes and the kernel's parts. A Machine in, rows for the doctor out; asks programs
their version."""

from __future__ import annotations

import os
from collections.abc import Iterator

from wherry.errors import WherryError
from wherry.flows.engines import found
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.runtime.find import check
from wherry.runtime.kernel import Kernel, kernel
from wherry.runtime.oci import Runtime


class Ability(Value, frozen=True, kw_only=True):
    """One row: what was seen, and what is to be done about it."""

    name: str
    here: bool
    value: str
    next: str = ""


def abilities(machine: Machine) -> tuple[Ability, ...]:
    """Runtimes first, the preferred one on top."""
    own = found(machine)
    return (*map(_runtime, own), *([] if own else [_none()]), *_kernel(kernel()))


def _runtime(runtime: Runtime) -> Ability:
    value = f"by {runtime.name} {runtime.version}, {runtime.program}"
    try:
        holes = check(runtime)
    except WherryError:
        return Ability(name="runs", here=False, value=f"{value}: too old", next="wherry explain old-runtime")
    if runtime.prefix:
        value += ", without cgroup2, which it refuses here beside version 1"
    return Ability(name="runs", here=True, value=value, next="wherry explain old-runtime" if holes else "")


def _none() -> Ability:
    return Ability(name="runs", here=False, value="wherry run takes Docker or podman then", next="apt-get install runc")


def _kernel(seen: Kernel) -> Iterator[Ability]:
    why = seen.no_user_namespaces
    value = f"none: {why}" if why else "containers get ids of their own" if os.geteuid() == 0 else "for you, too"
    switch = "sysctl -w user.max_user_namespaces=15000"
    yield Ability(name="userns", here=not why, value=value, next=switch if "max" in why else "")
    kind = f"version {seen.version}{', with version 2 beside it' if seen.mixed else ''}"
    limits = ", ".join(seen.limits) or "nothing"
    yield Ability(
        name="limits",
        here=not seen.missing,
        value=f"of {limits}: control groups of {kind}" if seen.version else "none: no control groups are mounted",
        next=f"a kernel with {', '.join(seen.missing)}" if seen.missing else "",
    )
    words = "seccomp filters them" + ("" if "user_notif" in seen.actions else ", but wherry profile cannot record")
    yield Ability(
        name="calls", here=seen.seccomp, value=words if seen.seccomp else "no seccomp: every system call goes"
    )
