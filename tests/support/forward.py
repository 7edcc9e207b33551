"""A forward proxy of the test's own. CONNECT requests in, tunnels to where the test says out; opens sockets on loopback.

It resolves no name: each host that may be reached has its address in a table, so names that exist nowhere can be asked for
through it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Forward:
    """What it was asked, and what it does."""

    port: int = 0
    places: dict[str, int] = field(default_factory=dict)
    """`HOST:PORT` as it is asked for → a port of loopback."""
    heads: list[bytes] = field(default_factory=list)
    refusal: bytes = b""
    """Said instead of a tunnel: `407 Proxy Authentication Required`."""
    authorization: str = ""
    """What Proxy-Authorization must be, if anything."""

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536) or b"\r\n\r\n"
            self.heads.append(head)
            _, _, rest = head.partition(b" ")
            target = rest.partition(b" ")[0].decode()  # of who says nothing: none
            known = f"proxy-authorization: {self.authorization}".lower().encode() in head.lower()
            refusal = self.refusal or (b"" if known or not self.authorization else b"407 Proxy Authentication Required")
            if refusal or target not in self.places:
                connection.sendall(b"HTTP/1.1 " + (refusal or b"403 Forbidden") + b"\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.places[target])) as other:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pour, args=(other, connection), daemon=True)
                back.start()
                _pour(connection, other)
                back.join(5)


@contextlib.contextmanager
def forward() -> Iterator[Forward]:
    """A running proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        state = Forward(port=int(listening.getsockname()[1]))

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=state.serve, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield state
        finally:
            with contextlib.suppress(OSError):  # wakes accept, which would take up whatever has this number later
                listening.shutdown(socket.SHUT_RDWR)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
