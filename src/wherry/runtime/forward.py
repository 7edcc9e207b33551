"""Published ports of a network of its own. Publish rows and a process in, listening sockets out; bytes go through this process.

No bridge, no packet filter, no root's rules: each connection is made anew in the container's network by the dial port.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Final

from wherry.errors import UnavailableError, UsageError
from wherry.kit.ports import Dial
from wherry.model.container import Publish

CHUNK: Final = 1 << 16
LOOPBACK: Final = ("127.0.0.1", "::1")


class Forwarder:
    """Listens from the start; leads to a container once `to` says its process. `close` ends all."""

    def __init__(self, rows: tuple[Publish, ...], dial: Dial) -> None:
        """UsageError [port-in-use] or UnavailableError [port-refused], before anything is started."""
        self._dial, self._pid = dial, 0
        self._ready, self._closed = threading.Event(), threading.Event()
        self._listeners: list[tuple[socket.socket, Publish]] = []
        try:
            for row in rows:
                self._listeners.append((_listen(row), row))
        except BaseException:
            self.close()
            raise

    @property
    def addresses(self) -> tuple[str, ...]:
        """`127.0.0.1:8080->8080/tcp`, with the ports that were free."""
        return tuple(f"{_shown(listener)}->{row.port}/{row.protocol}" for listener, row in self._listeners)

    def to(self, pid: int) -> None:
        """From now on connections lead to the network of `pid`."""
        self._pid = pid
        for listener, row in self._listeners:
            threading.Thread(target=self._accept, args=(listener, row), name=f"port {row.port}", daemon=True).start()

    def close(self) -> None:
        """Frees the ports; connections under way end with their peers."""
        self._closed.set()
        for listener, _ in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, row: Publish) -> None:
        while not self._closed.is_set():
            try:
                outside, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(outside, row), daemon=True).start()

    def _connect(self, outside: socket.socket, row: Publish) -> None:
        with contextlib.ExitStack() as opened:
            opened.enter_context(outside)
            try:
                inside = opened.enter_context(inward(self._dial, self._pid, row.port))
            except OSError:
                with contextlib.suppress(
                    OSError
                ):  # a refusal, as the client would see it without us: a reset, not an end
                    outside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
            _pump(outside, inside)


def inward(dial: Dial, pid: int, port: int) -> socket.socket:
    """A connection to `port` inside: by IPv4's loopback, else by IPv6's. OSError when neither answers."""
    try:
        return dial(pid, (LOOPBACK[0], port))
    except ConnectionRefusedError:
        return dial(pid, (LOOPBACK[1], port))


def _listen(row: Publish) -> socket.socket:
    if row.protocol != "tcp":
        raise UsageError(
            "container-option",
            "wherry's own engines forward TCP only",
            where=f"-p {row.port}/{row.protocol}",
            next=("--network host", "--engine docker or podman"),
        )
    listener = socket.socket(socket.AF_INET6 if ":" in row.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((row.host, row.host_port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _refused(row, error) from error
    return listener


def _refused(row: Publish, error: OSError) -> UsageError | UnavailableError:
    import errno
    import os

    said = f"-p {row.host}:{row.host_port}:{row.port}"
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            "port-in-use",
            f"port {row.host_port} of {row.host} is in use already",
            where=said,
            next=(f"-p {row.host}::{row.port}   on a free port", "end what listens there"),
        )
    why = os.strerror(error.errno) if error.errno else str(error)
    return UnavailableError(
        "port-refused", f"port {row.host_port} of {row.host} cannot be listened on", where=said, why=why
    )


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Bytes both ways until both sides have ended; a half that ended is told so."""
    for end in (one, other):
        end.settimeout(None)
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while selector.get_map():
            for ready, _ in selector.select():
                source, target = ready.fileobj, ready.data
                assert isinstance(source, socket.socket)
                if not _moved(source, target):
                    selector.unregister(source)


def _moved(source: socket.socket, target: socket.socket) -> bool:
    """Hands one piece on; False when the source has ended, or cannot be handed on."""
    try:
        data = source.recv(CHUNK)
        if data:
            target.sendall(data)
            return True
    except OSError:
        with contextlib.suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
    return False
