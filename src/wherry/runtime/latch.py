"""A program's file that nobody can open until it is let go: whoever starts it waits inside execve(2), and that is the last thing
that a runtime does of a container. A file in, whether somebody waits out; touches that file.

It is a lease of the kernel's (fcntl(2)): nothing of it is in the container, an ordinary user may have one of his own files, and
it ends with this process, or after /proc/sys/fs/lease-break-time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Final

PATIENCE: Final = 2.0
"""Seconds. A child that another thread has forked has all that was open, until it starts its program."""
STEP: Final = 0.005


class Latch:
    """On a file that nothing else uses; open until `shut`."""

    def __init__(self, file: Path) -> None:
        self.file, self._descriptor = file, -1

    def shut(self) -> None:
        """From now on each open(2) and execve(2) of the file waits, this process's own, too. OSError where the file system has no
        leases; BlockingIOError where the file stays open elsewhere."""
        self._descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
        # SIGIO, by which the kernel else tells of somebody who waits, would end this process; SIGURG does nothing.
        fcntl.fcntl(self._descriptor, fcntl.F_SETSIG, signal.SIGURG)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.fcntl(self._descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise
                time.sleep(STEP)

    def is_met(self) -> bool:
        """Whether somebody waits."""
        return fcntl.fcntl(self._descriptor, fcntl.F_GETLEASE) != fcntl.F_WRLCK

    def close(self) -> None:
        """Lets everybody go on."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):  # there is none, or no more
                # Closing alone would not do: whoever has a copy of the descriptor would keep the lease.
                fcntl.fcntl(self._descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            os.close(self._descriptor)
            self._descriptor = -1
