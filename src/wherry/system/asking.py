"""The Ask port: a process, a port and a path in, what its application answered out; connects in that process's network."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from typing import Final

from wherry.kit.ports import GONE, Answer
from wherry.system.namespaces import dial

BODY: Final = 1 << 20
CALLER: Final = "wherry-prove"


def ask(pid: int, port: int, path: str, /, seconds: float = 5.0) -> Answer:
    """One GET; see `kit.ports.Ask`."""
    began = time.monotonic()
    try:
        with contextlib.closing(_connected(pid, port, min(seconds, 3.0))) as one:
            one.settimeout(seconds)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
            connection.sock = one
            connection.request("GET", path, headers={"User-Agent": CALLER, "Connection": "close"})
            response = connection.getresponse()
            while response.read(BODY):
                pass
            return Answer(status=response.status, began=began, ended=time.monotonic())
    except (OSError, http.client.HTTPException) as error:
        return Answer(error=_words(error), began=began, ended=time.monotonic())


def _connected(pid: int, port: int, seconds: float) -> socket.socket:
    try:
        return dial(pid, ("127.0.0.1", port), seconds)
    except ConnectionRefusedError as refused:
        try:
            return dial(pid, ("::1", port), seconds)
        except ProcessLookupError:
            raise
        except OSError:  # a network without IPv6 has no such address
            raise refused from None


def _words(error: Exception) -> str:
    match error:
        case ConnectionRefusedError():
            return "refused"
        case ConnectionResetError() | BrokenPipeError():
            return "reset"
        case TimeoutError():
            return "no answer in time"
        case http.client.HTTPException():
            return "cut before an answer"
        case ProcessLookupError():
            return GONE
        case _:
            return str(error)
