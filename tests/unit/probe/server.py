"""An answer in, a loopback server that gives it to one client out; touches the loopback network."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

#: What a server does with its one connection and the request read from it.
Answer = Callable[[socket.socket, bytes], None]


@dataclass
class Seen:
    """Where a server listens, and the requests that it got."""

    port: str
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def serving(answer: Answer, host: str = "127.0.0.1") -> Iterator[Seen]:
    """A server for one connection; stopped and its thread ended on leaving."""
    with _listening(host) as listener:
        seen = Seen(str(listener.getsockname()[1]))
        thread = threading.Thread(target=_serve, args=(listener, answer, seen))
        thread.start()
        try:
            yield seen
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept
            thread.join()


@contextmanager
def _listening(host: str) -> Iterator[socket.socket]:
    """A listener on a free port, which nobody else has under 127.0.0.1 either: the probe asks there first."""
    if ":" not in host:
        with socket.create_server((host, 0)) as listener:
            yield listener
        return
    with refusing() as port, socket.create_server((host, int(port)), family=socket.AF_INET6) as listener:
        yield listener


def _serve(listener: socket.socket, answer: Answer, seen: Seen) -> None:
    with suppress(OSError):  # nobody came, or the probe hung up in the middle of the answer, as it may
        connection, _ = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                received = connection.recv(65536)
                if not received:
                    return
                request += received
            seen.requests.append(request)
            answer(connection, request)


def says(*pieces: bytes, pause: float = 0.0) -> Answer:
    """Sends the pieces, each in a packet of its own, with a pause in seconds before each."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            time.sleep(pause)
            connection.sendall(piece)

    return answer


def drips(text: bytes, pause: float) -> Answer:
    """Sends one byte at a time."""
    return says(*(bytes((byte,)) for byte in text), pause=pause)


def silent(connection: socket.socket, _request: bytes) -> None:
    """Says nothing until the client goes."""
    connection.recv(1)


def resets(connection: socket.socket, _request: bytes) -> None:
    """Cuts the connection with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def closing() -> Iterator[str]:
    """A server that closes each connection at once, without reading; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield str(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def overloaded() -> Iterator[str]:
    """A server whose queue is full, so that connecting hangs; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        clients = [socket.socket() for _ in range(3)]
        try:
            for client in clients:
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
            yield str(listener.getsockname()[1])
        finally:
            for client in clients:
                client.close()


@contextmanager
def refusing() -> Iterator[str]:
    """A port that is taken but not listened on."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield str(reserved.getsockname()[1])
