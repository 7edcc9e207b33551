"""The Spawn port: commands in, processes that go on beside this one out; starts processes, each in a session of its own.

No shell, nothing inherited but the three streams: what this process has open stays closed to them (F01).
"""

from __future__ import annotations

import contextlib
import os
import subprocess

from wherry.errors import UnavailableError
from wherry.kit.ports import Command


class Started:
    """One child; see `kit.ports.Child`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def wait(self, seconds: float | None = None, /) -> int | None:
        """Its exit code, or None."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return 128 - code if code < 0 else code

    def signal(self, number: int, /) -> None:
        """To the process alone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


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
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
