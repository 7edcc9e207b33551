"""One question to a server on this machine. An address and a path in, status, headers and body out; opens a socket.

HTTP/1.0 (RFC 1945): the answer ends with the connection, so there are no chunks and nothing is kept open. Whatever is unusual
is an OSError or ValueError, and the caller then knows nothing. Over what `socket` is made of: importing that one takes longer
than a question and its answer.
"""

from __future__ import annotations

import _socket
import os
import time

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self

TIMEOUT = 2.0
PATIENCE = 30
"""Seconds of silence while a file is sent, and until the server has done with it what it does."""
LIMIT = 1 << 20
BLOCK = 1 << 18
Answered = tuple[int, dict[str, str], bytes]


def ask(address: str | tuple[str, int], method: str, path: str, accept: str = "*/*") -> Answered:
    """`address`: a host and port, or the path of a socket. Header names come in lower case."""
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    head = _head(address, f"{method} {path}", f"Accept: {accept}\r\n{length}")
    with connected(address) as connection:
        connection.sendall(head)
        return _answer(_all(connection, TIMEOUT))


class Body:
    """A file that is sent whole, and how much of it is on its way."""

    def __init__(self, file: str, size: int, kind: str) -> None:
        self.file, self.size, self.kind = file, size, kind
        self.done = 0


def put(address: tuple[str, int], path: str, body: Body) -> Answered:
    """The answer to `body`; ValueError when the file has become shorter.

    Read and sent, not by sendfile(2): a server beside us takes whole buffers in a tenth less time than pages of a file. The
    socket has its patience from the system: Python's own asks before each bufferful whether there is room."""
    import struct

    head = _head(address, f"PUT {path}", f"Content-Type: {body.kind}\r\nContent-Length: {body.size}\r\n")
    file = os.open(body.file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO in its place would hang us
    try:
        with connected(address) as connection:
            connection.settimeout(None)
            for option in (_socket.SO_SNDTIMEO, _socket.SO_RCVTIMEO):
                connection.setsockopt(_socket.SOL_SOCKET, option, struct.pack("@ll", PATIENCE, 0))
            connection.sendall(head)
            block = memoryview(bytearray(BLOCK))
            while body.done < body.size:
                count = os.readv(file, (block[: body.size - body.done],))
                if not count:
                    raise ValueError(body.file)
                connection.sendall(block[:count])
                body.done += count
            return _answer(_all(connection, PATIENCE))
    finally:
        os.close(file)


def _head(address: str | tuple[str, int], what: str, more: str) -> bytes:
    if not f"{what}{more}".isascii() or what.count(" ") != 1 or any(character < " " for character in what):
        raise ValueError(what)
    host = "localhost" if isinstance(address, str) else f"{address[0]}:{address[1]}"
    return f"{what} HTTP/1.0\r\nHost: {host}\r\n{more}\r\n".encode()


def _answer(data: bytes) -> Answered:
    head, blank, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    version, status, *_ = first.split(" ")
    if not blank or not version.startswith("HTTP/1.") or len(status) != 3:
        raise ValueError(first)
    pairs = (line.partition(":") for line in lines)
    return int(status), {name.lower(): value.strip() for name, _, value in pairs}, body


class Connection(_socket.socket):
    """One that is closed at the end of its block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connected(address: str | tuple[str, int]) -> Connection:
    """A connection; OSError when nobody answers there."""
    if isinstance(address, str):
        return _opened((_socket.AF_UNIX, _socket.SOCK_STREAM, 0), address)
    refused = OSError(f"{address[0]} has no address")
    host = address[0].encode()  # of a text it would be asked whether it is a foreign name: 1 ms of imports
    for *kind, _, place in _socket.getaddrinfo(host, address[1], 0, _socket.SOCK_STREAM):
        try:
            return _opened(kind, place)
        except OSError as error:
            refused = error
    raise refused


def _opened(kind: Iterable[int], place: Any) -> Connection:
    connection = Connection(*kind)
    try:
        connection.settimeout(TIMEOUT)
        connection.connect(place)
    except OSError:
        connection.close()
        raise
    return connection


def _all(connection: Connection, seconds: float) -> bytes:
    deadline, parts, size = time.monotonic() + seconds, [], 0
    while part := connection.recv(1 << 16):
        parts.append(part)
        size += len(part)
        if size > LIMIT or time.monotonic() > deadline:
            raise ValueError("a long answer")
    return b"".join(parts)
