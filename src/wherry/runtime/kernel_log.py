"""Whom the kernel killed at a memory limit, by its own log. Nothing in, process ids out; reads /dev/kmsg.

A control group counts the same, but goes with its container where the engine takes it away at once: crun before 1.21, the
monitors of Docker and podman. Whoever looked often enough before has seen it grow, and on a busy machine nobody does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path
from typing import Final

LOG: Final = Path("/dev/kmsg")
LARGEST: Final = 8192
"""Bytes of a record; with less room the kernel refuses to give it (Documentation/ABI/testing/dev-kmsg)."""
KILLED: Final = re.compile(rb"^[0-7],[^;\n]*;Memory cgroup out of memory: Killed process (\d+) ", re.MULTILINE)
"""__oom_kill_process() of the kernel; the line is not among those whose rate it limits. What a program writes into the log has a
facility, and so a number above 7."""
FIRST: Final = "pid:[4026531836]"
"""The process namespace that the kernel's log counts in: PROC_PID_INIT_INO."""


class KernelLog:
    """What the kernel says from now on; to be opened before the container starts. It says nothing to an ordinary user or in a
    container, whose processes it calls by other numbers."""

    def __init__(self, path: Path = LOG, space: Path = Path("/proc/self/ns/pid")) -> None:
        self._descriptor, self._killed = -1, set[int]()
        with contextlib.suppress(OSError):
            if str(space.readlink()) == FIRST:
                self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                os.lseek(self._descriptor, 0, os.SEEK_END)

    @property
    def readable(self) -> bool:
        """Whether what it did not say did not happen."""
        return self._descriptor >= 0

    def says(self, pid: int) -> bool | None:
        """Whether that process was killed at a memory limit until now; None: it cannot tell. `pid` 0: it ended before anybody
        knew its number, so that each one killed may have been it."""
        killed = self.killed()
        if pid in killed:
            return True
        return False if self.readable and (pid or not killed) else None

    def killed(self) -> frozenset[int]:
        """The ids of processes that were killed at a memory limit until now."""
        while self.readable:
            try:
                record = os.read(self._descriptor, LARGEST)
            except OSError as error:
                if error.errno == errno.EPIPE:  # what was overwritten meanwhile is left out by the next read
                    continue
                break
            if not record:
                break
            self._killed.update(int(found[1]) for found in KILLED.finditer(record))
        return frozenset(self._killed)

    def close(self) -> None:
        """What it said until now stays known."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
