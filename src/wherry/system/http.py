"""The Http port: requests in, answers out, over TCP, TLS and unix sockets; touches the network.

Never follows a redirect, never retries, never speaks plain HTTP except to loopback or to hosts named by the caller.
urllib3 is imported with the first request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

from wherry.errors import RefusedError, UnavailableError, UsageError
from wherry.kit.files import disk_errors
from wherry.kit.ports import Request, Trust
from wherry.kit.text import one_line
from wherry.system.http_errors import check_deadline, host_of, plain_error, shown

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager
    from urllib3.connectionpool import HTTPConnectionPool

T = TypeVar("T")
Pairs = tuple[tuple[str, str], ...]
BLOCK = 1 << 17
CONNECTIONS = 8
SOON = 0.5
"""Seconds that the rest of an answer nobody wants may take."""


class Network:
    """Sends requests, keeping connections for the next. Safe to use from several threads.

    `variables` hold the user's proxies (`Environment.child`); `plain` names hosts (or host:port) that may be spoken to
    without TLS, beside those of a request's own `trust`.
    """

    def __init__(self, variables: Pairs = (), *, plain: tuple[str, ...] = ()) -> None:
        self._variables = variables
        self._plain = frozenset(name.lower() for name in plain)
        self._managers: dict[tuple[str, Trust | None], PoolManager] = {}
        self._lock = threading.Lock()
        self._sockets: dict[str, HTTPConnectionPool] = {}

    def __call__(self, request: Request, /) -> Answer:
        """The answer to one request, its body unread. See `kit.ports.Http` for the errors."""
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        end = time.monotonic() + request.deadline if request.deadline else float("inf")
        headers = {"Accept-Encoding": "identity", "User-Agent": "wherry", **_framing(request), **dict(request.headers)}
        options: dict[str, Any] = {
            "redirect": False,
            "retries": False,
            "preload_content": False,
            "decode_content": False,
        }
        options["timeout"] = Timeout(connect=request.timeout, read=request.timeout)
        try:
            target, sender = self._route(request.url, request.trust)
            body = _body(request, int(headers.get("Content-Length", 0)), end)
            answer = sender.urlopen(request.method, target, body=body, headers=headers, **options)
        except (HTTPError, OSError, ValueError) as error:
            raise plain_error(error, host_of(request.url), request.timeout) from error
        return Answer(answer, host_of(request.url), request.timeout, end)

    def _route(self, url: str, trust: Trust) -> tuple[str, HTTPConnectionPool | PoolManager]:
        """What to ask, and whom: a unix socket's pool, or the manager that goes straight or through the right proxy."""
        if url.startswith("unix://"):
            path, _, target = url.removeprefix("unix://").partition(":")
            return target, self._sockets.setdefault(path, _socket_pool(path))
        from urllib.parse import urlsplit

        from wherry.kit.hosts import is_loopback
        from wherry.system.proxies import proxy_for

        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if (
            parts.scheme not in ("http", "https")
            or not host
            or "@" in parts.netloc
            or not url.isprintable()
            or " " in url
        ):
            raise UsageError("bad-url", f"{shown(url)} is no address that wherry may ask", where=host_of(url))
        plain = trust.plain or is_loopback(host) or bool(self._plain & {host, f"{host}:{port}"})
        if parts.scheme == "http" and not plain:
            raise RefusedError(
                "plain-http",
                f"{one_line(host)} would be spoken to without TLS",
                where=f"{one_line(host)}:{port}",
                why="anybody on the way could read the credentials and change the image",
                next=f'use https, or write [registry."{one_line(parts.netloc)}"] plain-http = true in registries.toml',
            )
        proxy = proxy_for(parts.scheme, host, port, self._variables)
        # Without TLS anywhere on the way no certificates are read: that takes longer than all else of a request to this machine.
        key = (proxy, replace(trust, plain=False) if proxy or parts.scheme == "https" else None)
        with self._lock:
            if key not in self._managers:
                self._managers[key] = self._manager(*key)
            return url, self._managers[key]

    def _manager(self, proxy: str, trust: Trust | None) -> PoolManager:
        from urllib3 import PoolManager, ProxyManager, make_headers

        from wherry.system import file_bodies
        from wherry.system.proxies import parse
        from wherry.system.tls import tls_context

        options: dict[str, Any] = {"maxsize": CONNECTIONS, "blocksize": BLOCK}
        if trust is not None:
            options["ssl_context"] = tls_context(trust)
        if not proxy:
            return file_bodies.taken(PoolManager(**options))
        address, user = parse(proxy)
        headers = make_headers(proxy_basic_auth=user) if user else None
        return file_bodies.taken(ProxyManager(address, proxy_headers=headers, **options))


class Answer:
    """An HTTP answer; see `kit.ports.Response`."""

    def __init__(self, answer: BaseHTTPResponse, host: str, timeout: float, end: float) -> None:
        self.status = answer.status
        self.headers = tuple((name, value) for name, value in answer.headers.items())
        self._answer = answer
        self._host = host
        self._timeout = timeout
        self._end = end

    def header(self, name: str, /) -> str:
        """A header's value whatever its case; several joined by commas, empty when there is none."""
        return ", ".join(value for known, value in self.headers if known.lower() == name.lower())

    def read(self, size: int, /) -> bytes:
        """What has arrived of the body, at most `size` bytes; empty at its end, an error when it was cut off."""
        from urllib3.exceptions import HTTPError

        try:
            check_deadline(self._end, self._host)
            return self._answer.read1(size) or b""
        except UnavailableError:
            self._answer.close()
            raise
        except (HTTPError, OSError, ValueError) as error:
            self._answer.close()
            raise plain_error(error, self._host, self._timeout) from error

    def close(self) -> None:
        """Gives the connection back when hardly anything is left to read and comes at once, and cuts it otherwise."""
        from urllib3.exceptions import HTTPError

        left, end = BLOCK, time.monotonic() + SOON
        if (self._answer.length_remaining or 0) > left:
            left = 0
        try:
            while left > 0 and (chunk := self._answer.read1(left)):
                left = left - len(chunk) if time.monotonic() < end else 0
        except (HTTPError, OSError, ValueError):
            left = 0
        if left <= 0:
            self._answer.close()


def _framing(request: Request) -> dict[str, str]:
    if not request.body_file:
        return {}
    with disk_errors(request.body_file):
        size = Path(request.body_file).stat().st_size - request.body_offset
    return {"Content-Length": str(size if request.body_size < 0 else request.body_size)}


def _body(request: Request, size: int, end: float) -> Any:
    if request.body_file:
        from wherry.system.file_bodies import parts

        return _timed(parts(request, size), end, request.url)
    if request.body_stream is not None:
        return _timed(cast("Iterable[bytes]", request.body_stream()), end, request.url)
    return request.body or None


def _timed(chunks: Iterable[T], end: float, url: str) -> Iterator[T]:
    for chunk in chunks:
        check_deadline(end, host_of(url))
        yield chunk


def _socket_pool(path: str) -> HTTPConnectionPool:
    import socket

    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.exceptions import NewConnectionError

    from wherry.system.file_bodies import PlainConnection

    class SocketConnection(PlainConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
            try:
                self.sock.connect(path)
            except OSError as error:
                self.sock.close()
                raise NewConnectionError(self, "no socket") from error

    class SocketPool(HTTPConnectionPool):
        ConnectionCls = SocketConnection

    return SocketPool("localhost", maxsize=CONNECTIONS, blocksize=BLOCK)
