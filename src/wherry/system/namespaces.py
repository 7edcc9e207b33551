"""The Dial port: a process and an address in, a connection made in that process's network out; starts threads.

A thread enters the network namespace, makes the socket there, and ends; the socket stays what it is (namespaces(7)). So nothing
need be published, and nothing need be in the container.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000


def dial(pid: int, address: tuple[str, int], /, seconds: float = 3.0) -> socket.socket:
    """Connects; see `kit.ports.Dial`."""
    return within(pid, lambda: socket.create_connection(address, timeout=seconds))


def within(pid: int, work: Callable[[], T]) -> T:
    """What `work` gives on a thread in the network namespace of `pid`, or here when that is the same; its error
    is raised here."""
    path = f"/proc/{pid}/ns/net"
    try:
        if not pid or Path(path).readlink() == Path("/proc/self/ns/net").readlink():
            return work()
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None
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
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    finally:
        os.close(descriptor)
