"""Request bodies that are parts of files. A part in, its bytes on the connection out; touches the socket.

Where nothing encrypts them the system takes them from the file itself (sendfile(2)): they never pass through this process. TLS
has to read them. Imported, as urllib3 is, with the first request.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from wherry.errors import CorruptError
from wherry.kit.files import disk_errors
from wherry.kit.ports import Request

STEP = 1 << 20
"""Bytes between two looks at the clock."""
BLOCK = 1 << 17
"""Most bytes that are read where they have to be, and handed to TLS at once: its patience is counted for each."""


class Part(NamedTuple):
    """`size` bytes of an open file from `at`."""

    file: BinaryIO
    at: int
    size: int


def parts(request: Request, size: int) -> Iterator[Part]:
    """`size` bytes of the request's file, step by step; UnavailableError [disk]. CorruptError [short-blob] comes from who
    sends them."""
    with disk_errors(request.body_file):
        file = Path(request.body_file).open("rb", buffering=0)  # noqa: SIM115 - errors of the network are not the disk's
    with file:
        for done in range(0, size, STEP):
            count = min(STEP, size - done)
            yield Part(file, request.body_offset + done, count)
            if request.told is not None:
                request.told(done + count)


def taken(manager: PoolManager) -> PoolManager:
    """The same manager, whose connections take parts of files from here on."""
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
    return manager


def _send(taken: socket.socket | None, send: Callable[[Any], None], data: Any) -> None:
    """`data` over the connection of `taken`, whose own way for bytes is `send`."""
    if not isinstance(data, Part):
        send(data)
        return
    try:
        sent = taken.sendfile(data.file, data.at, data.size) if type(taken) is socket.socket else _read(data, send)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        with disk_errors(data.file.name):  # no socket says that
            raise
    if sent < data.size:
        name = data.file.name
        raise CorruptError("short-blob", f"{name} is shorter than what is to be sent of it", where=name)


def _read(part: Part, send: Callable[[Any], None]) -> int:
    part.file.seek(part.at)
    left = part.size
    while left and (chunk := part.file.read(min(BLOCK, left))):
        send(chunk)
        left -= len(chunk)
    return part.size - left


class PlainConnection(HTTPConnection):
    """Without TLS."""

    def send(self, data: Any) -> None:
        _send(self.sock, super().send, data)


class TlsConnection(HTTPSConnection):
    """With it, if only as far as to a proxy."""

    def send(self, data: Any) -> None:
        _send(self.sock, super().send, data)


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection
