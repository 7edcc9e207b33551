"""The Overhear port: what the kernel's audit says of seccomp's LOG action. Nothing in, counts out; starts a thread, opens two
netlink sockets.

For engines that drop the notifications' listener. No auditd takes part: the kernel multicasts its records (audit.h,
AUDIT_NLGRP_READLOG). Reading the kernel's ring buffer instead, as is often advised, loses most of them: it is rate limited.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Final

from wherry.errors import UnavailableError
from wherry.kit.notices import Heard

_PROTOCOL, _GROUP = 9, 1
_SECCOMP: Final = 1326
_STATUS: Final = 1000
_BUFFER: Final = 64 << 20
_FORCE: Final = 33
"""SO_RCVBUFFORCE, which the socket module does not name."""
_RECORD: Final = re.compile(rb' pid=(\d+) comm=(?:"([^"]*)"|([0-9A-F]*)) .*? syscall=(\d+) ')
_HEAD: Final = struct.Struct("=IHHII")


class Overheard:
    """What is heard; see `kit.notices.Overhearing`."""

    def __init__(self) -> None:
        self.trouble = ""
        self._counts: dict[tuple[int, bool, int], int] = {}
        self._spaces: dict[int, str] = {}
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _PROTOCOL)
        self._lost = _lost()
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _FORCE, _BUFFER)
        self._socket.bind((0, _GROUP))
        self._stopped, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def of(self, pid: int) -> tuple[Heard, ...]:
        """All that processes in the pid namespace of `pid` called; those that were gone before theirs could be asked count,
        too."""
        wanted, totals = self._spaces.get(pid, ""), dict[tuple[bool, int], int]()
        for (caller, engine, number), times in dict(self._counts).items():
            if self._spaces.get(caller) in (wanted, ""):
                totals[engine, number] = totals.get((engine, number), 0) + times
        return tuple(
            Heard(number=number, engine=engine, times=times) for (engine, number), times in sorted(totals.items())
        )

    def stop(self) -> None:
        """Ends the watch, and asks the kernel whether it lost anything."""
        os.close(self._stop)
        self._thread.join()
        os.close(self._stopped)
        self._socket.close()
        lost = _lost() - self._lost
        if lost > 0:
            self.trouble = f"the kernel's audit lost {lost} records"

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._socket.fileno() not in ready:
                return
            try:
                self._take(self._socket.recv(1 << 16))
            except OSError as error:
                self.trouble = f"records were dropped: {error.strerror}"

    def _take(self, message: bytes) -> None:
        _, kind, _, _, _ = _HEAD.unpack_from(message)
        found = _RECORD.search(message) if kind == _SECCOMP else None
        if found is None:
            return
        pid, name, number = int(found[1]), found[2] or bytes.fromhex((found[3] or b"").decode()), int(found[4])
        if pid not in self._spaces:
            self._spaces[pid] = _space(pid)
        key = (pid, name.startswith((b"runc:[", b"crun")), number)
        self._counts[key] = self._counts.get(key, 0) + 1


def _space(pid: int) -> str:
    """The pid namespace of a process; empty when it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")  # noqa: PTH115 - as text
    except OSError:
        return ""


def _lost() -> int:
    """How many records the kernel says that it lost since it started; 0 when it does not say."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _PROTOCOL) as asked:
        asked.settimeout(1.0)
        asked.send(_HEAD.pack(_HEAD.size, _STATUS, 1, 1, 0))
        while True:
            answer = asked.recv(1 << 12)
            _, kind, _, _, _ = _HEAD.unpack_from(answer)
            if kind == _STATUS:
                return int(struct.unpack_from("=7I", answer, _HEAD.size)[6])
            if kind == 2:  # NLMSG_ERROR
                return 0
    return 0


@contextlib.contextmanager
def overhear() -> Iterator[Overheard]:
    """Listens; see `kit.notices.Overhear`."""
    try:
        heard = Overheard()
    except OSError as error:
        raise UnavailableError(
            "no-watch",
            f"the kernel's audit does not talk to this user: {error.strerror}",
            why="it takes root, or CAP_AUDIT_READ",
            next="wherry profile --engine runc",
        ) from error
    try:
        yield heard
    finally:
        heard.stop()
