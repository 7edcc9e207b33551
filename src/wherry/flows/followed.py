"""A running container's engine, followed to its end or to the loss of the program. A child and a place in, an exit code out;
kills a program that nobody looks after any more.

Each engine has one process beside the program that collects it: runc and crun themselves, Docker's shim, podman's monitor. It is
the program's parent (proc_pid_stat(5)). Where that changes, somebody killed it, and nobody will tell how the program ends: Docker
says 137 after a while, podman waits for ever. Where the child ends before the program, runc or the daemon was killed.
"""

from __future__ import annotations

import contextlib
import signal
import time
from typing import Final

from wherry.errors import UnavailableError
from wherry.kit.ports import Child, Kill
from wherry.runtime import orphans
from wherry.runtime.folders import Place
from wherry.runtime.look import born, lives, parent_of

EVERY: Final = 0.25
"""Seconds between two looks at the parent."""
PATIENCE: Final = 3.0
"""Seconds that an engine has to notice its loss by itself and clean up."""
DYING: Final = 5.0
TELLING: Final = 10.0
"""Seconds that an engine may take to tell of an end, on a busy machine."""


class Followed:
    """A `kit.ports.Child` that ends, too, when its engine has lost the program."""

    def __init__(self, child: Child, place: Place, kill: Kill) -> None:
        self.pid, self.lost = child.pid, False
        self._child, self._place, self._kill = child, place, kill
        self._program = place.pid()
        self._parent, self._born = parent_of(self._program), born(self._program)
        self._next = self._since = 0.0

    def wait(self, seconds: float | None = None, /) -> int | None:
        """Its exit code; after a loss, which is `lost`, that of whoever was left."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = EVERY if end is None else min(EVERY, max(0.0, end - time.monotonic()))
            code = self._child.wait(left)
            if code is not None:
                if self._lives():
                    self.lost = True
                    self._end_program()
                return code
            self._look()
            if end is not None and time.monotonic() >= end:
                return None

    def ended_within(self, seconds: float, /) -> int | None:
        """As `wait`; when the program has ended by then, its engine is given time to tell how. It takes the container away first,
        and that is not the program's time."""
        code = self.wait(seconds)
        return self.wait(TELLING) if code is None and not self._lives() else code

    def signal(self, number: int, /) -> None:
        """To the engine's process."""
        self._child.signal(number)

    def _lives(self) -> bool:
        """Not so when the number is another process's by now."""
        return lives(self._program) and born(self._program) == self._born

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        others = parent_of(self._program) != self._parent
        if not self.lost and others and self._lives():  # asked last: one that is gone by now has no parent either
            self.lost, self._since = True, now
        if self.lost and now > self._since + PATIENCE:
            self._end_program()
            orphans.clear(self._place, self._kill)

    def _end_program(self) -> None:
        """A first process takes all others of its namespace along (pid_namespaces(7))."""
        end = time.monotonic() + DYING
        while self._lives() and time.monotonic() < end:
            with contextlib.suppress(PermissionError):  # another user's: its engine may
                self._kill(self._program, signal.SIGKILL)
            time.sleep(0.01)


def refuse_loss(followed: Followed, engine: str, name: str) -> None:
    """UnavailableError [engine-died] where the program was lost."""
    if followed.lost:
        raise UnavailableError(
            "engine-died",
            f"{engine}, or what it looks after {name} with, was killed, so {name} was killed, too",
            next=("wherry doctor", "the same command again, when the engine is back"),
        )
