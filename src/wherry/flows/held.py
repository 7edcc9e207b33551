"""Whether a container that was just started is held as was decided. A running one in, nothing or one error out; reads /proc.

An engine that leaves a hardening out says nothing of it: an old one, a foreign one under its name, a kernel without seccomp. So
the kernel is asked, once, at the start.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

from wherry.errors import UnavailableError
from wherry.flows.attend import Attended
from wherry.kit.ports import Machine
from wherry.model.container import Container
from wherry.model.observation import Identity, capabilities_in
from wherry.runtime import oci
from wherry.runtime.look import identity

SETTLING: Final = 5.0
"""Seconds until what is missing is missing for good, where it cannot be told whether the runtime's own code still runs there: it
tells the process id before it has loaded the filter, and a busy machine takes its time."""
STEP: Final = 0.002
REDUCED: Final = "reduced-isolation"
APART: Final = ("pid", "mnt", "ipc", "uts", "cgroup")


def refuse_reduced(one: Attended, machine: Machine) -> None:
    """Kills what is held less than was decided: UnavailableError [reduced-isolation] names each part. What Docker and podman do
    is told otherwise (`lodged.differences`); a program that has ended already is held by nothing."""
    if one.runtime.name not in oci.NAMES:
        return
    end = time.monotonic() + SETTLING
    try:
        while True:
            begun = _is_program(one)  # before the look: what is seen then is final
            missing = reduced(one.container, identity(one.place.pid()))
            if not missing or one.child.wait(STEP) is not None:
                return
            if begun or time.monotonic() > end:
                break
    except OSError:
        return
    machine.kill(one.place.pid(), signal.SIGKILL)
    raise UnavailableError(
        REDUCED,
        f"{one.runtime.name} started {one.container.name} with less isolation than was decided, so it was killed",
        where=missing,
        next=("wherry doctor", "another --engine", "--relax says what may be left out"),
    )


def _is_program(one: Attended) -> bool:
    """Whether the process is the decided program, and no more the runtime that becomes it."""
    words = Path(f"/proc/{one.place.pid()}/cmdline").read_bytes()
    return words == b"".join(os.fsencode(word) + b"\0" for word in one.container.arguments)


def reduced(container: Container, seen: Identity) -> tuple[str, ...]:
    """What the kernel grants the first process beyond what was decided. Less is no difference: a program may give up more."""
    found = []
    if seen.uid != container.user.uid and "CAP_SETUID" not in container.capabilities:
        found.append(f"it runs as uid {seen.uid}, not as {container.user.uid}")
    if container.no_new_privileges and seen.no_new_privileges is False:
        found.append("it may gain privileges: no-new-privileges is not set")
    if container.seccomp != "unconfined" and seen.seccomp == 0:
        found.append("it may make every system call: there is no seccomp filter")
    granted = {word.removeprefix("CAP_") for word in container.capabilities}
    for name, mask in seen.capabilities:
        more = [word for word in capabilities_in(mask) if word not in granted]
        if more:
            found.append(f"{name} holds {', '.join(more[:3])}" + (f" and {len(more) - 3} more" if more[3:] else ""))
    kinds = (
        *APART,
        *(("user",) if container.user_namespace else ()),
        *(("net",) if container.network != "host" else ()),
    )
    own = kinds if seen.namespaces is None else seen.namespaces
    found += [f"it shares this machine's {kind} namespace" for kind in kinds if kind not in own]
    return tuple(found)
