"""The Watch port: a unix socket for the runtime to hand its listener to, and one thread that answers each notification. Numbers
and a function in, counts out; starts a thread, opens sockets.

One thread, a loop without a detour: whoever waits for it is the application. A call whose arguments do not matter costs two
ioctls. The layout of the structures: linux/seccomp.h.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import shutil
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Final

from wherry.errors import UnavailableError
from wherry.kit.notices import See, Wanted

_NOTICE: Final = struct.Struct("=QIIiIQ6Q")
_ANSWER: Final = struct.Struct("=QqiI")
_RECEIVE: Final = 0xC0002100 | _NOTICE.size << 16
_SEND: Final = 0xC0002101 | _ANSWER.size << 16
_FLAGS: Final = 0x40082104
_SYNCHRONOUS: Final = 1
"""SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: the waiting thread goes on where this one was, which is faster (Linux 6.6)."""
_CONTINUE: Final = 1
_PATIENCE: Final = 60.0
"""Seconds from the start of the watch until the runtime must have handed over its listener."""
_SWITCH: Final = 0.0005
"""Seconds after which another thread of this process must give way; 0.005 else, ten times a call's whole time."""


class Notices:
    """A watch; see `kit.notices.Watching`."""

    def __init__(self, wanted: Wanted, see: See) -> None:
        self.counts: dict[int, int] = {}
        self.trouble = ""
        self._wanted, self._see = wanted, see
        self._folder = tempfile.mkdtemp(prefix="wherry-")
        os.chmod(self._folder, 0o700)  # noqa: PTH101 - text is enough
        self.address = f"{self._folder}/listener"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.address)
        self._socket.listen(1)
        self._stopped, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, name="system calls", daemon=True)

    def start(self) -> None:
        """Waits for the runtime from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch; whatever still runs under it stands still or gets ENOSYS."""
        os.close(self._stop)
        self._thread.join()
        os.close(self._stopped)
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        listener = -1
        try:
            listener = self._accept()
            if listener >= 0:
                with contextlib.suppress(OSError):
                    fcntl.ioctl(listener, _FLAGS, _SYNCHRONOUS)
                self.trouble = "it broke off"  # unless it comes to its end
                self._loop(listener)
                self.trouble = ""
        except OSError as error:
            self.trouble = f"the kernel ended the watch: {error.strerror}"
        finally:
            if listener >= 0:
                os.close(listener)

    def _accept(self) -> int:
        """The descriptor that the runtime sends; -1 when the watch is stopped before."""
        ready, _, _ = select.select([self._socket.fileno(), self._stopped], [], [], _PATIENCE)
        if self._socket.fileno() not in ready:
            self.trouble = "" if ready else "the runtime did not hand over its listener"
            return -1
        runtime, _ = self._socket.accept()
        # Nobody else is expected, and so nothing is left if we are killed.
        shutil.rmtree(self._folder, ignore_errors=True)
        with runtime:
            _, descriptors, _, _ = socket.recv_fds(runtime, 1 << 16, 4)
        for extra in descriptors[1:]:
            os.close(extra)
        if not descriptors:
            self.trouble = "the runtime handed over nothing"
        return descriptors[0] if descriptors else -1

    def _loop(self, listener: int) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        refused, shown, counts = dict(self._wanted.refused), self._wanted.shown, self.counts
        zeros, notice, ioctl = bytes(_NOTICE.size), bytearray(_NOTICE.size), fcntl.ioctl
        while True:
            for descriptor, event in poll.poll():
                if descriptor != listener or not event & select.POLLIN:
                    return
            notice[:] = zeros
            try:
                ioctl(listener, _RECEIVE, notice, True)
                answer, pid, _, number, _, _, *arguments = _NOTICE.unpack(notice)
                counts[number] = counts.get(number, 0) + 1
                if number in shown:
                    self._see(pid, number, tuple(arguments))
                wrong = refused.get(number, 0)
                reply = _ANSWER.pack(answer, 0, -wrong, 0 if wrong else _CONTINUE)
                ioctl(listener, _SEND, reply)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.EINTR):  # the thread was killed or interrupted meanwhile
                    raise


@contextlib.contextmanager
def watch(wanted: Wanted, see: See, /) -> Iterator[Notices]:
    """Watches; see `kit.notices.Watch`."""
    if not sys.platform.startswith("linux"):
        raise UnavailableError("no-watch", "only Linux tells of a container's system calls", next="profile it on Linux")
    notices, before = Notices(wanted, see), sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    notices.start()
    try:
        yield notices
    finally:
        notices.stop()
        sys.setswitchinterval(before)
