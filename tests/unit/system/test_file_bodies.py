"""Bodies that are parts of files: every byte arrives by every way there is, and a file that changes meanwhile is no silence."""

from __future__ import annotations

import os
import random
import socket
import ssl
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.answers import say, serving
from tests.support.certificates import Authority
from tests.support.forward import forward
from wherry.errors import CorruptError, UnavailableError, WherryError
from wherry.kit.ports import Request, Trust
from wherry.system.file_bodies import STEP
from wherry.system.http import Network

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
NAME = "registry.internal"
SIZE = 3 * STEP + 12_345
START = 777


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "blob"
    path.write_bytes(random.Random(1).randbytes(SIZE))
    return path


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the system took from the file itself, each time."""
    counts: list[int] = []
    real = os.sendfile

    def counted(*arguments: int) -> int:
        counts.append(real(*arguments))
        return counts[-1]

    monkeypatch.setattr(os, "sendfile", counted)
    return counts


def put(url: str, file: Path, **more: object) -> Request:
    return Request(method="PUT", url=url, body_file=str(file), body_offset=START, timeout=20, **more)  # type: ignore[arg-type]


def check(seen: list[bytes], file: Path, *, size: int = SIZE - START) -> None:
    head, _, body = seen[-1].partition(b"\r\n\r\n")
    assert b"content-length: %d" % size in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert body == file.read_bytes()[START : START + size]


def test_plainly_the_system_takes_them_from_the_file(file: Path, handed: list[int]) -> None:
    told: list[int] = []
    with serving(say(OK)) as server:
        network = Network()
        network(put(f"http://127.0.0.1:{server.port}/", file, told=told.append)).close()
        network(put(f"http://127.0.0.1:{server.port}/", file, body_size=STEP)).close()
        check(server.seen[:1], file)
        check(server.seen, file, size=STEP)
        assert server.connections == 1
    assert sum(handed) == SIZE - START + STEP
    assert told == [STEP, 2 * STEP, 3 * STEP, SIZE - START]


def test_by_a_unix_socket_too(file: Path, tmp_path: Path, handed: list[int]) -> None:
    with serving(say(OK), path=tmp_path / "socket") as server:
        Network()(put(f"unix://{tmp_path}/socket:/x", file)).close()
        check(server.seen, file)
    assert sum(handed) == SIZE - START


def test_tls_reads_and_encrypts_them(file: Path, authority: Authority, handed: list[int]) -> None:
    told: list[int] = []
    with serving(say(OK), context=authority.server()) as server:
        trust = Trust(authorities=(str(authority.ca),))
        Network()(put(f"https://localhost:{server.port}/", file, trust=trust, told=told.append)).close()
        check(server.seen, file)
    assert handed == []
    assert told[-1] == SIZE - START


def test_a_proxy_gets_them_plainly(file: Path, handed: list[int]) -> None:
    with serving(say(OK)) as proxy:
        network = Network((("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}"),))
        network(put(f"http://{NAME}/x", file, trust=Trust(plain=True))).close()
        assert proxy.seen[0].startswith(b"PUT http://registry.internal/x HTTP/1.1\r\n")
        check(proxy.seen, file)
    assert sum(handed) == SIZE - START


def test_a_proxy_that_speaks_tls_gets_no_plain_byte(file: Path, authority: Authority, handed: list[int]) -> None:
    with serving(say(OK), context=authority.server()) as proxy:
        network = Network((("HTTP_PROXY", f"https://localhost:{proxy.port}"),))
        network(put(f"http://{NAME}/x", file, trust=Trust(plain=True, authorities=(str(authority.ca),)))).close()
        check(proxy.seen, file)
    assert handed == []


def test_a_tunnel_encrypts_them(file: Path, authority: Authority, handed: list[int]) -> None:
    names = authority.server("tunnel", names=f"DNS:{NAME}")
    with serving(say(OK), context=names) as server, forward() as proxy:
        proxy.places = {f"{NAME}:443": server.port}
        network = Network((("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}"),))
        network(put(f"https://{NAME}/x", file, trust=Trust(authorities=(str(authority.ca),)))).close()
        check(server.seen, file)
    assert handed == []


@pytest.fixture(params=["plain", "TLS"])
def place(request: pytest.FixtureRequest, authority: Authority) -> tuple[ssl.SSLContext | None, str, Trust]:
    """How a server is made, its scheme and host, and what to trust."""
    if request.param == "plain":
        return None, "http://127.0.0.1", Trust()
    return authority.server(), "https://localhost", Trust(authorities=(str(authority.ca),))


Place = tuple[ssl.SSLContext | None, str, Trust]


@pytest.mark.parametrize("left", [0, START + STEP + 5, SIZE - 1])
def test_a_file_that_shrinks_meanwhile(left: int, place: Place, file: Path, tmp_path: Path) -> None:
    """Never filled up, never waited for: the server would wait for bytes that cannot come."""
    context, host, trust = place
    changing = tmp_path / "blob"
    changing.write_bytes(file.read_bytes())
    with serving(say(OK), context=context) as server:
        network, url = Network(), f"{host}:{server.port}/"
        with pytest.raises(CorruptError, match="is shorter") as caught:
            network(put(url, changing, trust=trust, told=lambda _: os.truncate(changing, left)))
        assert caught.value.name == "short-blob"
        network(put(url, file, trust=trust)).close()
        check(server.seen, file)
        assert (server.connections, len(server.seen)) == (2, 1), "the broken connection is used no more"


def test_a_file_that_grows_meanwhile(place: Place, file: Path, tmp_path: Path) -> None:
    context, host, trust = place
    growing = tmp_path / "blob"
    growing.write_bytes(file.read_bytes())

    def grow(_: int) -> None:
        with growing.open("ab") as more:
            more.write(b"more" * STEP)

    with serving(say(OK), context=context) as server:
        Network()(put(f"{host}:{server.port}/", growing, trust=trust, told=grow)).close()
        check(server.seen, growing)


def test_a_part_beyond_the_end_is_short_from_the_first_byte(place: Place, file: Path) -> None:
    context, host, trust = place
    with serving(say(OK), context=context) as server, pytest.raises(CorruptError, match="is shorter"):
        Network()(put(f"{host}:{server.port}/", file, body_size=SIZE, trust=trust))


def test_a_disk_that_cannot_be_read_is_no_fault_of_the_network(
    place: Place, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, host, trust = place

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(socket.socket, "sendfile", broken)
    monkeypatch.setattr("wherry.system.file_bodies._read", broken)
    with serving(say(OK), context=context) as server, pytest.raises(UnavailableError) as caught:
        Network()(put(f"{host}:{server.port}/", file, trust=trust))
    assert (caught.value.name, caught.value.where) == ("disk", (str(file),))


def test_who_does_not_read_is_not_waited_for(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        request = put(f"http://127.0.0.1:{silent.getsockname()[1]}/", file)
        with pytest.raises(WherryError) as caught:
            Network()(replace(request, timeout=0.3))
    assert caught.value.name in ("no-answer", "connection-lost")


def test_an_answer_before_the_end_is_heard(file: Path) -> None:
    """What is too large is refused before all of it has come (413), and the connection may be cut behind that."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass

        threading.Thread(target=refuse, daemon=True).start()
        assert Network()(put(f"http://127.0.0.1:{listening.getsockname()[1]}/", file)).status == 413
