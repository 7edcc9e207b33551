"""The Engage port: a monitor process of wherry's own, started early and told later what to look after; starts a process.

Python alone, without site packages but the two that it needs, so that it starts while images are still unpacked (cli/monitor.py).
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

import wherry
from wherry.errors import UnavailableError

LARGEST: Final = 1 << 20
START: Final = "import sys; sys.path[:0] = sys.argv[1:]; from wherry.cli.monitor import main; main()"
#: What the monitor and the engines' programs read of the environment.
KEPT: Final = frozenset(("HOME", "PATH", "USER", "LOGNAME", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS", "LANG", "LC_ALL"))
PREFIXES: Final = ("WHERRY_", "XDG_", "DOCKER_", "CONTAINERS_", "STORAGE_", "_CONTAINERS_")


class Monitor:
    """See `kit.attending.Attendant`."""

    def __init__(self) -> None:
        """UnavailableError [program-start]."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        paths = dict.fromkeys(str(Path(str(one.__file__)).parents[1]) for one in (wherry, msgspec))
        kept = {name: text for name, text in os.environ.items() if name in KEPT or name.startswith(PREFIXES)}
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", START, *paths],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=kept,
                    start_new_session=True,
                )
            except OSError as error:
                self._ours.close()
                why = os.strerror(error.errno) if error.errno else str(error)
                raise UnavailableError("program-start", f"{sys.executable} could not be started", why=why) from error
        self.pid = self._process.pid

    def ask(self, message: bytes, descriptors: tuple[int, ...] = (), /) -> bytes:
        """Its answer; empty when it ended without one."""
        try:
            socket.send_fds(self._ours, [message], list(descriptors))
            return self._ours.recv(LARGEST)
        except (BrokenPipeError, ConnectionResetError):
            return b""

    def close(self) -> None:
        """It goes on with what it was asked, or ends when it was asked nothing."""
        self._ours.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0)
        self._process.returncode = self._process.returncode or 0  # it outlives us: nobody waits for it


def engage() -> Monitor:
    """See `kit.attending.Engage`."""
    return Monitor()
