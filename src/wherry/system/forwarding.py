"""The Forward port: openings in, listening sockets that lead into a container's network out; starts threads.

No bridge, no packet filter, no root's rules: each connection is made anew in the container's network by the dial port, and bytes
are moved by splice(2), so that they never come into Python.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable
from typing import Final

from wherry.errors import UnavailableError, UsageError
from wherry.kit.attending import Opening
from wherry.system.namespaces import dial, prepare

CHUNK: Final = 1 << 20
WAITING: Final = 512
"""Connections that wait to be accepted."""
PAUSE: Final = 0.05
"""Seconds, after this process had no more descriptors for a connection."""
Dial = Callable[[int, tuple[str, int]], socket.socket]
RESET: Final = b"\x01\0\0\0\0\0\0\0"
"""SO_LINGER of no time: a reset, not an end, as the client would see a refusal without us."""
FULL: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class Forwarder:
    """See `kit.attending.Forwarding`."""

    def __init__(self, openings: tuple[Opening, ...], dial: Dial = dial) -> None:
        """UsageError [port-in-use] or UnavailableError [port-refused], before anything is started."""
        self._dial, self._pid, self._closed = dial, 0, threading.Event()
        self._listeners: list[tuple[socket.socket, Opening]] = []
        try:
            for one in openings:
                self._listeners.append((_listen(one), one))
        except BaseException:
            self.close()
            raise
        if openings:  # what the first connection needs is imported while the container starts
            threading.Thread(target=prepare, name="prepare", daemon=True).start()
        self.addresses = tuple(f"{_shown(listener)}->{one.inner}/tcp" for listener, one in self._listeners)

    def to(self, pid: int) -> None:
        """From now on connections lead to the network of `pid`."""
        self._pid = pid
        for listener, one in self._listeners:
            threading.Thread(target=self._accept, args=(listener, one), name=f"port {one.inner}", daemon=True).start()

    def close(self) -> None:
        """Frees the ports; connections under way end with their peers."""
        self._closed.set()
        for listener, _ in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, one: Opening) -> None:
        while not self._closed.is_set():
            try:
                outside, _ = listener.accept()
            except OSError as error:
                if error.errno in FULL and not self._closed.wait(PAUSE):
                    continue
                if error.errno == errno.ECONNABORTED:
                    continue
                return
            try:
                threading.Thread(target=self._connect, args=(outside, one.inner), daemon=True).start()
            except RuntimeError:  # no more threads
                outside.close()

    def _connect(self, outside: socket.socket, port: int) -> None:
        with contextlib.ExitStack() as opened:
            opened.enter_context(outside)
            try:
                inside = opened.enter_context(inward(self._dial, self._pid, port))
                for end in (outside, inside):
                    end.settimeout(None)
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
                back.start()
            except (OSError, RuntimeError):
                with contextlib.suppress(OSError):
                    outside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return
            _pump(outside, inside)
            back.join()


def inward(dial: Dial, pid: int, port: int) -> socket.socket:
    """A connection to `port` inside: by IPv4's loopback, else by IPv6's. OSError when neither answers."""
    try:
        return dial(pid, ("127.0.0.1", port))
    except ConnectionRefusedError:
        return dial(pid, ("::1", port))


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Bytes one way until the source has ended, which the target is told; a broken end breaks the other."""
    try:
        reading, writing = os.pipe2(os.O_CLOEXEC)
    except OSError:
        _break(source, target)
        return
    try:
        while count := os.splice(source.fileno(), writing, CHUNK):
            while count:
                count -= os.splice(reading, target.fileno(), count)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        _break(source, target)
    finally:
        os.close(reading)
        os.close(writing)


def _break(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _listen(one: Opening) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in one.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((one.host, one.outer))
        listener.listen(WAITING)
    except OSError as error:
        listener.close()
        raise _refused(one, error) from error
    return listener


def _refused(one: Opening, error: OSError) -> UsageError | UnavailableError:
    said = f"-p {one.host}:{one.outer}:{one.inner}"
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            "port-in-use",
            f"port {one.outer} of {one.host} is in use already",
            where=said,
            next=(f"-p {one.host}::{one.inner}   on a free port", "end what listens there"),
        )
    why = os.strerror(error.errno) if error.errno else str(error)
    return UnavailableError(
        "port-refused", f"port {one.outer} of {one.host} cannot be listened on", where=said, why=why
    )


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
