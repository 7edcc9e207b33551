"""The Spawn port: commands in, processes that go on beside this one out; starts processes, each in a session of its own.

No shell, nothing inherited but the three streams: what this process has open stays closed to them (F01).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time

from wherry.errors import UnavailableError
from wherry.kit.ports import Command

FIRST, LONGEST = 0.0005, 0.05
"""Seconds between two looks: the first, and the longest after it has doubled."""


class Started:
    """One child; see `kit.ports.Child`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self.pid = process, process.pid
        self._gone = False
        """Its number may be another's by now."""

    def wait(self, seconds: float | None = None, /) -> int | None:
        """Its exit code, or None."""
        end = None if seconds is None else time.monotonic() + seconds
        pause = FIRST
        while (code := self._collected(forever=end is None)) is None:
            left = end - time.monotonic() if end is not None else LONGEST
            if left <= 0:
                return None
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST)
        return 128 - code if code < 0 else code

    def signal(self, number: int, /) -> None:
        """To the process alone."""
        if self._collected() is None:
            kill(self.pid, number)

    def _collected(self, *, forever: bool = False) -> int | None:
        """Its exit code, as `subprocess` has it, once it has ended.

        Not by Popen.wait: an interrupt between its lock and its `try` leaves the lock taken, and whoever waits then does so for
        ever, also for a child that has ended. Here each step can be interrupted and done again: its end is looked at, written
        down, and only then collected. Of several threads the first one collects, and the others read what it wrote.
        """
        options = os.WEXITED | os.WNOWAIT | (0 if forever else os.WNOHANG)
        with contextlib.suppress(ChildProcessError):
            if self._process.returncode is None and (seen := os.waitid(os.P_PID, self.pid, options)):
                self._process.returncode = seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status
            if self._process.returncode is not None and not self._gone:
                os.waitpid(self.pid, os.WNOHANG)
                self._gone = True
        return self._process.returncode


def spawn(command: Command, /, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> Started:
    """Starts `command`; see `kit.ports.Spawn`. Raises UnavailableError [program-start]."""
    streams = [subprocess.DEVNULL if descriptor < 0 else descriptor for descriptor in (stdin, stdout, stderr)]
    try:
        return Started(
            subprocess.Popen(
                command.argv,
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                cwd=command.directory or None,
                env=dict(command.environment),
                close_fds=True,
                start_new_session=True,
            )
        )
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise UnavailableError("program-start", f"{command.argv[0]} could not be started", why=why) from error


def kill(pid: int, number: int, /) -> None:
    """Sends a signal; see `kit.ports.Kill`."""
    if not pid:  # this process and all of its group (kill(2))
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
