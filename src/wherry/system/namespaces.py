"""The Dial port: a process and an address in, a connection made in that process's network out; starts threads.

A thread enters the network namespace, makes the socket there, and ends; the socket stays what it is (namespaces(7)). So nothing
need be published, and nothing need be in the container. An ordinary user must enter the container's user namespace first, which
no thread may (setns(2)): then a small process does, and hands out sockets as long as it is wanted.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
#: A process of its own: enters both namespaces of a process, then sends a socket of each family that it is asked for.
MAKER = """
import ctypes, os, socket, sys
asked, pid = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
library = ctypes.CDLL(None, use_errno=True)
for name, kind in (("user", 0x10000000), ("net", 0x40000000)):
    if library.setns(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), kind):
        sys.exit(ctypes.get_errno())
asked.send(b"r")
while family := asked.recv(1):
    with socket.socket(socket.AF_INET6 if family == b"6" else socket.AF_INET) as made:
        socket.send_fds(asked, [family], [made.fileno()])
"""


def prepare() -> None:
    """Imports what entering a namespace takes, so that the first connection need not wait for it."""
    import ctypes  # noqa: F401 - kept by the interpreter


def dial(pid: int, address: tuple[str, int], /, seconds: float = 3.0) -> socket.socket:
    """Connects; see `kit.ports.Dial`."""
    if os.geteuid() == 0 or not pid or _is_here(pid):
        return within(pid, lambda: socket.create_connection(address, timeout=seconds))
    made = _maker(pid).socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    try:
        made.settimeout(seconds)
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


class _Maker:
    """The process that is in the namespaces of one container."""

    def __init__(self, pid: int) -> None:
        """PermissionError when this user may not enter."""
        self.lock = threading.Lock()
        self.asked, theirs = socket.socketpair()
        words = [sys.executable, "-I", "-S", "-c", MAKER, str(theirs.fileno()), str(pid)]
        with theirs:
            self.process = subprocess.Popen(
                words,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        if not self.asked.recv(1):
            self.asked.close()
            number = self.process.wait()
            raise OSError(number, os.strerror(number), f"/proc/{pid}/ns/net")

    def socket(self, family: socket.AddressFamily) -> socket.socket:
        """A new one there, of TCP."""
        with self.lock:
            self.asked.send(b"6" if family == socket.AF_INET6 else b"4")
            _, descriptors, _, _ = socket.recv_fds(self.asked, 1, 1)
        if not descriptors:
            raise ProcessLookupError("the container has ended")
        return socket.socket(fileno=descriptors[0])

    def close(self) -> None:
        """It ends by itself when nobody can ask it any more."""
        self.asked.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)


_makers: dict[tuple[int, str], _Maker] = {}
_making = threading.Lock()


def _maker(pid: int) -> _Maker:
    """The one of this process: numbers come again, with another namespace."""
    key = (pid, os.readlink(f"/proc/{pid}/ns/net"))  # noqa: PTH115 - as text
    with _making:
        for other in [one for one in _makers if one != key and not Path(f"/proc/{one[0]}").exists()]:
            _makers.pop(other).close()
        if key not in _makers:
            _makers[key] = _Maker(pid)
        return _makers[key]


def _is_here(pid: int) -> bool:
    """Whether the network of `pid` is this process's. ProcessLookupError when it is gone."""
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None


def within(pid: int, work: Callable[[], T]) -> T:
    """What `work` gives on a thread in the network namespace of `pid`, or here when that is the same; its error
    is raised here."""
    path = f"/proc/{pid}/ns/net"
    if not pid or _is_here(pid):
        return work()
    results: list[T] = []
    errors: list[BaseException] = []

    def entered() -> None:
        try:
            _enter(path)
            results.append(work())
        except (OSError, ValueError) as error:
            errors.append(error)

    thread = threading.Thread(target=entered, name=f"in the network of {pid}", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _enter(path: str) -> None:
    import ctypes

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # it ended since it was looked at
        raise ProcessLookupError(f"{path} is gone") from None
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    finally:
        os.close(descriptor)
