"""What a killed runtime may have left of one container before it had written down that there is one. A place in, processes and
control groups out; reads /proc and /sys/fs/cgroup.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

from wherry.kit.ports import Kill
from wherry.runtime.folders import Place
from wherry.runtime.spec import GROUP

PATIENCE: Final = 5.0
STEP: Final = 0.01
KILL: Final = 9


def clear(place: Place, kill: Kill, mount: Path = Path("/sys/fs/cgroup")) -> None:
    """Ends every process that was started for this container and takes its control groups away. For a container that nobody
    looks after, whose lock is held: whoever has its folder in its command line is its runtime, and no monitor."""
    end = time.monotonic() + PATIENCE
    while (found := {*processes(place), *members(place.id, mount)}) and time.monotonic() < end:
        for pid in found:
            with contextlib.suppress(PermissionError):
                kill(pid, KILL)
        time.sleep(STEP)
    for group in groups(place.id, mount):
        with contextlib.suppress(OSError):
            group.rmdir()


def processes(place: Place) -> tuple[int, ...]:
    """Those whose command line names the container's folder."""
    wanted = f"{place.path}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return tuple(found)


def groups(name: str, mount: Path) -> tuple[Path, ...]:
    """Its control groups, in every hierarchy, right below the top: there wherry makes them for root."""
    pattern = f"{GROUP.lstrip('/')}{name}"
    return (*mount.glob(pattern), *mount.glob(f"*/{pattern}"))


def members(name: str, mount: Path) -> tuple[int, ...]:
    """Processes in its control groups."""
    found = []
    for group in groups(name, mount):
        with contextlib.suppress(OSError):
            found += [int(line) for line in (group / "cgroup.procs").read_text().split()]
    return tuple(found)
