"""One question to a server on this machine. An address and a path in, status, headers and body out; opens a socket.

HTTP/1.0 (RFC 1945): the answer ends with the connection, so there are no chunks and nothing is kept open. Whatever is unusual
is an OSError or ValueError, and the caller then knows nothing.
"""

from __future__ import annotations

import socket
import time

TIMEOUT = 2.0
LIMIT = 1 << 20


def ask(
    address: str | tuple[str, int], method: str, path: str, accept: str = "*/*"
) -> tuple[int, dict[str, str], bytes]:
    """`address`: a host and port, or the path of a socket. Header names come in lower case."""
    if not f"{path}{accept}".isascii() or any(character <= " " for character in path):
        raise ValueError(path)
    host = "localhost" if isinstance(address, str) else f"{address[0]}:{address[1]}"
    with connected(address) as connection:
        connection.sendall(f"{method} {path} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n".encode())
        data = _all(connection)
    head, blank, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    version, status, *_ = first.split(" ")
    if not blank or not version.startswith("HTTP/1.") or len(status) != 3:
        raise ValueError(first)
    pairs = (line.partition(":") for line in lines)
    return int(status), {name.lower(): value.strip() for name, _, value in pairs}, body


def connected(address: str | tuple[str, int]) -> socket.socket:
    """A connection; OSError when nobody answers there."""
    if not isinstance(address, str):
        return socket.create_connection(address, TIMEOUT)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(TIMEOUT)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _all(connection: socket.socket) -> bytes:
    deadline, parts, size = time.monotonic() + TIMEOUT, [], 0
    while part := connection.recv(1 << 16):
        parts.append(part)
        size += len(part)
        if size > LIMIT or time.monotonic() > deadline:
            raise ValueError("a long answer")
    return b"".join(parts)
