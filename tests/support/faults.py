"""A proxy that does harm, before a real registry. Faults in, a host on loopback out; each request is written down.

Requests and answers pass as they are, in pieces, until a fault meets one: then a connection is cut at a byte, an answer is
another one, a byte changes, a length or digest lies, a body has no end.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

PIECE = 1 << 16
FOREVER = 10**9
HOP = ("connection", "keep-alive", "transfer-encoding", "te", "upgrade")

How = Literal[
    "status",  # answers `status` with `headers` and `body`, and asks nobody
    "cut request",  # passes on `at` bytes of the body, and cuts both sides
    "cut answer",  # gives the headers and `at` bytes of the body, and cuts
    "lost answer",  # passes the request on, and cuts instead of answering
    "clean end",  # as `cut answer`, without a length: it looks like an ordinary end
    "corrupt",  # changes the byte at `at`
    "change",  # replaces headers of the answer; an empty value takes one away
    "ask",  # replaces headers of the request before it is passed on; likewise
    "endless",  # a body without length or end
    "stall",  # `at` bytes of the body, and then nothing for `seconds`
    "creep",  # the body byte by byte, `seconds` between two
]


@dataclass
class Fault:
    """What is done to `times` requests that meet it, after `skip` of them."""

    how: How
    method: str = ""
    path: str = ""
    """A regular expression searched in path and query."""
    at: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 3600.0
    times: int = 1
    skip: int = 0

    def meets(self, method: str, path: str) -> bool:
        if self.times <= 0 or (self.method and self.method != method) or not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Call:
    """One request that arrived, and how it was answered (0: cut)."""

    method: str
    path: str
    headers: dict[str, str]
    status: int = 0
    passed: int = 0
    """Bytes of its body that were passed on."""


Refusal = tuple[int, dict[str, str], bytes]


@dataclass
class FaultProxy:
    """What stands before `upstream` (host:port), and what it does wrong."""

    upstream: str
    host: str = ""
    faults: list[Fault] = field(default_factory=list)
    chance: Callable[[str, str], Fault | None] = lambda _method, _path: None
    """Asked when no fault meets a request."""
    gate: Callable[[Call], Refusal | None] = lambda _: None
    """Answers a request that may not pass, or that is its own (a token server's)."""
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, call: Call) -> Fault | None:
        with self.lock:
            self.calls.append(call)
            met = next((fault for fault in self.faults if fault.meets(call.method, call.path)), None)
            return met or self.chance(call.method, call.path)

    def counted(self, method: str = "", path: str = "") -> int:
        """How many requests of a kind there were."""
        return sum(
            bool((not method or call.method == method) and re.search(path, call.path)) for call in list(self.calls)
        )

    @property
    def uploaded(self) -> int:
        """Bytes of blobs that reached the registry."""
        return sum(call.passed for call in list(self.calls) if "/blobs/uploads/" in call.path)


def sometimes(share: float, seed: int) -> Callable[[str, str], Fault | None]:
    """A chance by which so many requests fail, each time in one of the ways that networks have."""
    dice = random.Random(seed)
    ways: tuple[Fault, ...] = (
        Fault("status", status=500),
        Fault("status", status=502),
        Fault("status", status=503),
        Fault("status", status=429, headers={"Retry-After": "0"}),
        Fault("lost answer"),
        Fault("cut request", at=700),
        Fault("cut answer", at=5),
    )

    def throw(_method: str, _path: str) -> Fault | None:
        return dice.choice(ways) if dice.random() < share else None

    return throw


@contextlib.contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A running proxy before `upstream` on a free port of loopback."""
    state = FaultProxy(upstream)
    server = _Server(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    state.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    block_on_close = False  # a stalled answer is nobody's business any more
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Cut connections are what this is for."""


class _Cut(Exception):
    pass


def _handler(state: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def serve(self) -> None:
            call = Call(self.command, self.path, {key.lower(): value for key, value in self.headers.items()})
            fault = state.fault(call)
            try:
                _served(self, state, call, fault)
            except (_Cut, OSError, http.client.HTTPException):
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _served(handler: BaseHTTPRequestHandler, state: FaultProxy, call: Call, fault: Fault | None) -> None:
    own = state.gate(call)
    if fault is not None and fault.how == "status":
        own = (fault.status, dict(fault.headers), fault.body)
    if own is not None:
        for _ in _body(handler):
            pass
        call.status = own[0]
        _answer(handler, own[0], own[1] | {"Content-Length": str(len(own[2]))}, iter((own[2],)))
        return
    upstream = http.client.HTTPConnection(state.upstream, timeout=60)
    try:
        _pass_on(handler, upstream, call, fault)
        if fault is not None and fault.how == "lost answer":
            upstream.getresponse().read()
            raise _Cut
        answer = upstream.getresponse()
        call.status = answer.status
        headers = {key: value for key, value in answer.getheaders() if key.lower() not in HOP}
        pieces = iter(lambda: answer.read(PIECE), b"")
        _answer(handler, answer.status, *_spoiled(handler, headers, pieces, fault))
    finally:
        upstream.close()


def _pass_on(
    handler: BaseHTTPRequestHandler, upstream: http.client.HTTPConnection, call: Call, fault: Fault | None
) -> None:
    changed = dict(call.headers)
    if fault is not None and fault.how == "ask":
        changed = _changed(changed, fault.headers)
    upstream.putrequest(call.method, call.path, skip_host=True, skip_accept_encoding=True)
    for key, value in changed.items():
        if key not in HOP:
            upstream.putheader(key, value)
    upstream.endheaders()
    left = fault.at if fault is not None and fault.how == "cut request" else FOREVER
    for piece in _body(handler):
        upstream.send(piece[:left])
        call.passed += len(piece[:left])
        left -= len(piece)
        if left <= 0:
            break
    if left != FOREVER and fault is not None and fault.how == "cut request":
        raise _Cut


def _body(handler: BaseHTTPRequestHandler) -> Iterator[bytes]:
    left = int(handler.headers.get("Content-Length", "0"))
    while left and (piece := handler.rfile.read1(min(left, PIECE))):
        left -= len(piece)
        yield piece


def _changed(headers: dict[str, str], by: Mapping[str, str]) -> dict[str, str]:
    names = {name.lower() for name in by}
    kept = {key: value for key, value in headers.items() if key.lower() not in names}
    return kept | {key: value for key, value in by.items() if value}


def _spoiled(
    handler: BaseHTTPRequestHandler, headers: dict[str, str], pieces: Iterator[bytes], fault: Fault | None
) -> tuple[dict[str, str], Iterator[bytes]]:
    match fault.how if fault is not None else "":
        case "change":
            assert fault is not None
            return _changed(headers, fault.headers), pieces
        case "clean end" | "endless":
            handler.close_connection = True
            without = _changed(headers, {"Content-Length": ""}) | {"Connection": "close"}
            return without, _bytes(pieces, fault)
        case "cut answer" | "corrupt" | "stall" | "creep":
            return headers, _bytes(pieces, fault)
        case _:
            return headers, pieces


def _bytes(pieces: Iterator[bytes], fault: Fault | None) -> Iterator[bytes]:
    """The body as the fault has it."""
    assert fault is not None
    at = 0
    for piece in pieces:
        inside = at <= fault.at < at + len(piece)
        left = fault.at - at
        at += len(piece)
        if fault.how == "creep":
            for one in piece:
                yield bytes((one,))
                time.sleep(fault.seconds)
        elif not inside or fault.how == "endless":
            yield piece
        elif fault.how == "corrupt":
            yield piece[:left] + bytes((piece[left] ^ 1,)) + piece[left + 1 :]
        else:
            yield piece[:left]
            if fault.how == "stall":
                time.sleep(fault.seconds)
            if fault.how != "clean end":
                raise _Cut
            return
    while fault.how == "endless":
        yield b"\0" * PIECE


def _answer(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], pieces: Iterator[bytes]) -> None:
    handler.send_response_only(status)
    for key, value in headers.items():
        handler.send_header(key, value)
    handler.end_headers()
    if handler.command == "HEAD" or status in (204, 304):
        return
    for piece in pieces:
        handler.wfile.write(piece)
        handler.wfile.flush()
