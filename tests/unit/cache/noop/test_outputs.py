"""Registries and engines are asked whether the result is still there; anything but a clear yes is a no."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.servers import free_port
from wherry.cache.noop import wire
from wherry.cache.noop.outputs import all_there
from wherry.cache.noop.wire import ask

DIGEST = "sha256:" + "a" * 64
Answer = Callable[[str, str], bytes]


class Server:
    """Answers each connection with what `answer` makes of the method and path; keeps what it was asked."""

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        self.listener, self.answer = listener, answer
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(65536).decode()
                if not head:
                    continue  # somebody looked whether we are there
                self.asked.append(head)
                method, path, _ = head.split(" ", 2)
                with contextlib.suppress(OSError):  # who has heard enough hangs up
                    connection.sendall(self.answer(method, path))


def reply(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status} Any Reason", *headers, "", "")
    return "\r\n".join(lines).encode() + body


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no answer."""
    monkeypatch.setattr(wire, "TIMEOUT", 60.0)


@pytest.fixture(name="serve")
def servers(tmp_path: Path) -> Iterator[Callable[[Answer], tuple[Server, str]]]:
    listeners: list[socket.socket] = []

    def serve(answer: Answer) -> tuple[Server, str]:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        return Server(listener, answer), str(listener.getsockname()[1])

    yield serve
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept, which would take up whatever has this number later
        listener.close()


def test_a_registry_that_has_it_is_asked_once_by_head(serve: Callable[[Answer], tuple[Server, str]]) -> None:
    server, port = serve(lambda method, path: reply(200, b"", f"Docker-Content-Digest: {DIGEST}"))
    assert all_there([["registry", "127.0.0.1", port, "team/app", "v1", DIGEST]])
    assert len(server.asked) == 1
    assert server.asked[0].startswith("HEAD /v2/team/app/manifests/v1 HTTP/1.0\r\n")
    assert "application/vnd.oci.image.index.v1+json" in server.asked[0]
    assert "application/vnd.docker.distribution.manifest.v2+json" in server.asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"", "Docker-Content-Digest: sha256:" + "b" * 64),
        reply(200),
        reply(404, b"", f"Docker-Content-Digest: {DIGEST}"),
        reply(401, b"", 'WWW-Authenticate: Bearer realm="x"'),
        reply(307, b"", f"Location: /elsewhere\r\nDocker-Content-Digest: {DIGEST}"),
        reply(500),
        b"",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + DIGEST.encode(),
        b"\xff\xfe\r\n\r\n",
        b"HTTP/1.1 " + b"9" * (2 << 20),
    ],
)
def test_any_other_answer_is_a_no(answer: bytes, serve: Callable[[Answer], tuple[Server, str]]) -> None:
    _, port = serve(lambda method, path: answer)
    assert not all_there([["registry", "127.0.0.1", port, "team/app", "v1", DIGEST]])


def test_nobody_and_silence_are_a_no(
    serve: Callable[[Answer], tuple[Server, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not all_there([["registry", "127.0.0.1", str(free_port()), "app", "v1", DIGEST]])
    monkeypatch.setattr(wire, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not all_there([["registry", "127.0.0.1", str(silent.getsockname()[1]), "app", "v1", DIGEST]])


def test_a_drip_of_bytes_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIMEOUT", 2.0)  # a busy machine drips more slowly

    class Drip(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            while True:
                try:
                    self.wfile.write(b"H")
                    threading.Event().wait(0.02)
                except OSError:
                    return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drip) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ValueError, match="long"):
            ask(("127.0.0.1", server.server_port), "GET", "/")
        server.shutdown()


@pytest.mark.parametrize("path", ["/a b", "/a\r\nHost: x", "/ü", "/\0"])
def test_a_path_that_is_none_is_never_sent(path: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ask(("127.0.0.1", 1), "GET", path)


def test_docker_is_asked_for_the_id(tmp_path: Path) -> None:
    path = str(tmp_path / "docker.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    server = Server(
        listener,
        lambda method, path: reply(200, b'{"Id":"%s"}' % DIGEST.encode()) if "app:1" in path else reply(404, b"{}"),
    )
    assert all_there([["docker", path, "registry.example/app:1", DIGEST]])
    assert server.asked[0].startswith("GET /images/registry.example/app:1/json HTTP/1.0\r\n")
    assert not all_there([["docker", path, "registry.example/app:1", "sha256:other"]])
    assert not all_there([["docker", path, "gone:1", DIGEST]])
    assert not all_there([["quiet", path]])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    assert not all_there([["docker", path, "registry.example/app:1", DIGEST]])
    assert all_there([["quiet", path]])
    assert all_there([["quiet", str(tmp_path / "none")]])


@pytest.mark.parametrize(
    "row", [[], ["unknown"], ["layout"], ["layout", "/none", "x", DIGEST], ["registry", "h", "x", "", "", ""]]
)
def test_rows_that_make_no_sense_are_a_no(row: list[str]) -> None:
    assert not all_there([row])
