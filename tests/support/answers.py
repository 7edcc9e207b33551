"""A server that answers as it is told, over TCP, TLS or a unix socket. Raw answers in, requests seen out; opens sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

Script = Callable[[socket.socket, bytes], None]
"""Gets the connection and the request's head and body; what it sends is the answer."""


def say(answer: bytes) -> Script:
    """A script that sends `answer` as it is."""
    return lambda connection, _: connection.sendall(answer)


class Server:
    """Listens until closed; `seen` holds every request whole."""

    def __init__(self, script: Script, listening: socket.socket, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[bytes] = []
        self.connections = 0
        self._script, self._listening, self._context = script, listening, context
        self.port = 0 if listening.family == socket.AF_UNIX else int(listening.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                while request := read_request(connection):
                    self.seen.append(request)
                    self._script(connection, request)


@contextlib.contextmanager
def serving(script: Script, *, path: Path | None = None, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A running server on a loopback port, or on the unix socket `path`."""
    if path is None:
        listening = socket.create_server(("127.0.0.1", 0))
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
    try:
        yield Server(script, listening, context)
    finally:
        with contextlib.suppress(OSError):  # wakes accept, which would take up whatever has this number later
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def read_request(connection: socket.socket) -> bytes:
    """Head and body of one request; empty when the other side has gone before its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    chunked = b"transfer-encoding: chunked" in lines
    while len(body) < length or (chunked and not body.endswith(b"0\r\n\r\n")):
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body
