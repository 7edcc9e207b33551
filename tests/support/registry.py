"""A registry inside the test process that does what a script says. Faults in, a server on loopback out; each request
is written down.

It keeps the distribution specification's rules that a push can break: digests are compared, a manifest whose blobs
or children are missing is refused. What is scripted comes before all of that.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Headers = Mapping[str, str]


@dataclass
class Call:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    size: int = 0


@dataclass
class Fault:
    """What is answered instead of the right thing, `times` times after `skip` matching requests were let pass."""

    path: str = ""
    """A regular expression searched in path and query."""
    method: str = ""
    status: int = 500
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False
    """Closes the connection instead of answering, after the request was read."""
    do_first: bool = False
    """Does the right thing, and then answers this all the same: the answer that got lost."""
    times: int = 1
    skip: int = 0

    def meets(self, call: Call) -> bool:
        if (self.method and self.method != call.method) or not re.search(self.path, call.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass
class Answer:
    status: int
    headers: Headers = field(default_factory=dict)
    body: bytes = b""


@dataclass
class FakeRegistry:
    """What it holds, what it was asked, and what it is to do wrong."""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """`repository:tag` and `repository@digest` → bytes and media type."""
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    location: str = ""
    """Format of upload locations; `{path}` is the right path. Empty: the path alone."""
    authorize: Callable[[Call], Answer | None] = lambda _: None
    """Gives the refusal, or None to let a request pass."""
    extra: Callable[[Call], Answer | None] = lambda _: None
    """Answers paths that no registry has, such as a token server's."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    def sent(self, secret: str) -> list[Call]:
        """The requests that held `secret` in a header or address."""
        return [
            call for call in self.calls if secret in call.path or any(secret in one for one in call.headers.values())
        ]

    def answer(self, call: Call, body: bytes) -> Answer | None:
        """None: close the connection."""
        with self._lock:
            self.calls.append(call)
            fault = next((one for one in self.faults if one.meets(call)), None)
            if fault is None:
                return self._allowed(call, body)
            if fault.do_first:
                self._allowed(call, body)
            return None if fault.cut else Answer(fault.status, fault.headers, fault.body)

    def _allowed(self, call: Call, body: bytes) -> Answer:
        return self.extra(call) or self.authorize(call) or self._right(call, body)

    def _right(self, call: Call, body: bytes) -> Answer:
        parts = urlsplit(call.path)
        matched = re.fullmatch(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs/uploads|blobs)/(?P<what>[^/]*)", parts.path)
        if not matched:
            return Answer(200 if parts.path == "/v2/" else 404)
        name, kind, what = matched["name"], matched["kind"], matched["what"]
        if kind == "manifests":
            return self._manifest(call, name, what, body)
        if kind == "blobs":
            return self._content(call, self.blobs.get(what), what, "application/octet-stream")
        if call.method == "POST":
            path = f"/v2/{name}/blobs/uploads/{len(self.calls)}?state=a%2Fb"
            return Answer(202, {"Location": self.location.format(path=path) if self.location else path})
        digest = parse_qs(parts.query).get("digest", [""])[0]
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            return refusal(400, "DIGEST_INVALID")
        self.blobs[digest] = body
        return Answer(201, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})

    def _manifest(self, call: Call, name: str, what: str, body: bytes) -> Answer:
        key = f"{name}@{what}" if what.startswith("sha256:") else f"{name}:{what}"
        if call.method in ("GET", "HEAD"):
            data, media_type = self.manifests.get(key, (None, ""))
            return self._content(call, data, what, media_type)
        missing = [one for one in self._named(name, body) if one]
        if missing:
            return refusal(400, "MANIFEST_BLOB_UNKNOWN", missing[0])
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        held = (body, call.headers.get("content-type", ""))
        self.manifests[key] = self.manifests[f"{name}@{digest}"] = held
        return Answer(201, {"Docker-Content-Digest": digest})

    def _named(self, name: str, body: bytes) -> Iterator[str]:
        """What a manifest names and is not here."""
        document = json.loads(body)
        for child in document.get("manifests", ()):
            if f"{name}@{child['digest']}" not in self.manifests:
                yield child["digest"]
        for blob in (*document.get("layers", ()), *([document["config"]] if "config" in document else ())):
            if blob["digest"] not in self.blobs:
                yield blob["digest"]

    def _content(self, call: Call, data: bytes | None, what: str, media_type: str) -> Answer:
        if data is None:
            return refusal(404, "NAME_UNKNOWN", what)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest, "Content-Length": str(len(data))}
        return Answer(200, headers, b"" if call.method == "HEAD" else data)


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """An error as registries write it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status, {"Content-Type": "application/json"}, body)


@contextlib.contextmanager
def fake_registry() -> Iterator[FakeRegistry]:
    """A running registry on a free port of loopback."""
    state = FakeRegistry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
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


def _handler(state: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer: two would wait for each other (Nagle and delayed ACK)

        def setup(self) -> None:
            super().setup()
            self.connection.settimeout(20)

        def serve(self) -> None:
            body = self._body()
            headers = {key.lower(): value for key, value in self.headers.items()}
            answer = state.answer(Call(self.command, self.path, headers, len(body)), body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for key, value in ({"Content-Length": str(len(answer.body))} | dict(answer.headers)).items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))

        def log_message(self, *_: object) -> None:
            pass

    return Handler
