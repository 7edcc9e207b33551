"""A git server that only lets in who has the password, as companies have one. Repositories in, modules over HTTPS out; listens on
loopback, runs `git http-backend`."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.certificates import Authority
from tests.support.examples import commit
from tests.support.hub import Hub
from tests.support.tools import need

HOST = "git.example.com"
USER, PASSWORD = "ci", "open-4711-sesame"
OPEN = "open/"
"""Of modules there everybody is told where they are, as public hosts do."""


@dataclass
class PrivateGit:
    """What it has, and who asked."""

    folder: Path
    """Of bare repositories: HOST/team/lib is team/lib.git."""
    refused: list[str] = field(default_factory=list)
    served: list[str] = field(default_factory=list)

    def publish(self, path: str, files: dict[str, str]) -> str:
        """The module HOST/PATH, with one commit tagged v1.0.0."""
        work = self.folder / "work" / path
        for name, text in {"go.mod": f"module {HOST}/{path}\n\ngo 1.24\n", **files}.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        commit(work, tag="v1.0.0")
        bare = str(self.folder / f"{path}.git")
        subprocess.run(["git", "clone", "-q", "--bare", str(work), bare], check=True, capture_output=True)
        return f"{HOST}/{path}"

    def netrc(self, password: str = PASSWORD) -> Path:
        """What its users have at home."""
        file = self.folder / "netrc"
        file.write_text(f"machine {HOST} login {USER} password {password}\n")
        return file

    def lets_in(self, handler: BaseHTTPRequestHandler) -> bool:
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        said = handler.headers.get("Authorization", "")
        (self.served if said == f"Basic {known}" else self.refused).append(handler.path)
        return said == f"Basic {known}"


@contextlib.contextmanager
def private_git(folder: Path, hub: Hub) -> Iterator[PrivateGit]:
    """A running one, which builds through the hub reach as HOST."""
    need("git")
    state = PrivateGit(folder=folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answered(*_answer(state, self))

        def do_POST(self) -> None:
            self._answered(*_answer(state, self))

        def _answered(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, text in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    context = Authority(hub.authority.parent).server("git", names=f"DNS:{HOST}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hub.places[f"{HOST}:443"] = int(server.server_address[1])
    try:
        yield state
    finally:
        del hub.places[f"{HOST}:443"]
        server.shutdown()
        server.server_close()
        thread.join()


Answer = tuple[int, list[tuple[str, str]], bytes]


def _answer(state: PrivateGit, handler: BaseHTTPRequestHandler) -> Answer:
    """The password first; then where a module's repository is (go.dev/ref/mod#vcs-find), or what git says."""
    body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
    address = urlsplit(handler.path)
    asked_where = "go-get=1" in address.query
    if not (asked_where and address.path.startswith(f"/{OPEN}")) and not state.lets_in(handler):
        return 401, [("WWW-Authenticate", 'Basic realm="git"')], b""
    if asked_where:
        name = f"{HOST}{address.path}"
        return 200, [], f'<meta name="go-import" content="{name} git https://{name}.git">'.encode()
    return _git(state.folder, handler, body)


def _git(folder: Path, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """By CGI (git-http-backend(1))."""
    address = urlsplit(handler.path)
    variables = {
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": address.path,
        "QUERY_STRING": address.query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
        "REMOTE_USER": USER,
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env={**os.environ, **variables}, capture_output=True, check=True
    )
    head, _, data = done.stdout.partition(b"\r\n\r\n")
    rows = [line.split(": ", 1) for line in head.decode().split("\r\n")]
    status = next((int(text.split()[0]) for name, text in rows if name == "Status"), 200)
    return status, [(name, text) for name, text in rows if name != "Status"], data
