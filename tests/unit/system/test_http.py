"""The Http port against servers that behave, misbehave and are not there."""

import threading
import time
from pathlib import Path

import pytest

from tests.support.answers import say, serving
from wherry.errors import RefusedError, UnavailableError, UsageError, WherryError
from wherry.kit.ports import Request
from wherry.system.http import Network

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Twice: a\r\nX-Twice: b\r\n\r\nhello"


def get(url: str, *, timeout: float = 5.0, deadline: float = 0.0, method: str = "GET") -> Request:
    return Request(method=method, url=url, timeout=timeout, deadline=deadline)


def whole(network: Network, request: Request) -> bytes:
    answer = network(request)
    parts = []
    while chunk := answer.read(1 << 16):
        parts.append(chunk)
    answer.close()
    return b"".join(parts)


def error_of(request: Request, network: Network | None = None) -> WherryError:
    with pytest.raises(WherryError) as caught:
        whole(network or Network(), request)
    assert not any(word in caught.value.message for word in ("urllib3", "Error", "object at", "pool"))
    return caught.value


def test_status_headers_and_body() -> None:
    with serving(say(OK)) as server:
        answer = Network()(get(f"http://127.0.0.1:{server.port}/v2/?q=1"))
        assert (answer.status, answer.header("x-TWICE"), answer.header("none")) == (200, "a, b", "")
        assert answer.read(2) + answer.read(100) == b"hello"
        assert answer.read(100) == b""
    assert server.seen[0].startswith(b"GET /v2/?q=1 HTTP/1.1\r\n")
    assert b"accept-encoding: identity" in server.seen[0].lower()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_answers_and_are_not_followed(status: int) -> None:
    with serving(
        say(b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n" % status)
    ) as server:
        answer = Network()(get(f"http://127.0.0.1:{server.port}/"))
    assert (answer.status, answer.header("location")) == (status, "http://127.0.0.1:9/")
    assert len(server.seen) == 1


def test_errors_of_servers_are_answers_and_are_not_tried_again() -> None:
    with serving(say(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) as server:
        assert Network()(get(f"http://127.0.0.1:{server.port}/")).status == 503
    assert len(server.seen) == 1


def test_a_connection_serves_the_next_request_too() -> None:
    with serving(say(OK)) as server:
        network = Network()
        for method in ("GET", "GET", "GET"):
            network(get(f"http://127.0.0.1:{server.port}/", method=method)).close()
    assert (len(server.seen), server.connections) == (3, 1)


def test_compressed_bodies_stay_as_they_are() -> None:
    with serving(say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")) as server:
        assert whole(Network(), get(f"http://127.0.0.1:{server.port}/")) == b"abc"


def test_a_chunked_answer_comes_as_it_arrives() -> None:
    read = threading.Event()

    def script(connection, _):  # type: ignore[no-untyped-def] # a scripted server
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        if read.wait(60):
            connection.sendall(b"3\r\ndef\r\n0\r\n\r\n")

    with serving(script) as server:
        answer = Network()(get(f"http://127.0.0.1:{server.port}/", timeout=30))
        assert answer.read(100) == b"abc", "before the server says more"
        read.set()
        assert answer.read(100) == b"def"
        assert answer.read(100) == b""


def test_bodies_from_bytes_files_and_streams(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"0123456789" * 50_000)
    with serving(say(OK)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        network = Network()
        network(Request(method="PUT", url=url, body=b"abc")).close()
        part = Request(method="PATCH", url=url, body_file=str(tmp_path / "blob"), body_offset=5, body_size=300_000)
        network(part).close()
        network(Request(method="PUT", url=url, body_file=str(tmp_path / "blob"), body_offset=499_990)).close()
        network(Request(method="POST", url=url, body_stream=lambda: iter([b"ab", b"", b"cd"]))).close()
    bodies = [request.partition(b"\r\n\r\n")[2] for request in server.seen]
    assert bodies[0] == b"abc"
    assert bodies[1] == (b"0123456789" * 50_000)[5:300_005]
    assert b"content-length: 300000\r\n" in server.seen[1].lower()
    assert bodies[2] == b"0123456789"
    assert bodies[3] == b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"


def test_a_body_that_is_not_there_is_a_disk_error(tmp_path: Path) -> None:
    with serving(say(OK)) as server:
        request = Request(method="PUT", url=f"http://127.0.0.1:{server.port}/", body_file=str(tmp_path / "none"))
        assert error_of(request).name == "disk"


def test_a_unix_socket_is_spoken_to(tmp_path: Path) -> None:
    with serving(say(OK), path=tmp_path / "engine.sock") as server:
        assert whole(Network(), get(f"unix://{tmp_path}/engine.sock:/v1.43/info?x=y")) == b"hello"
    assert server.seen[0].startswith(b"GET /v1.43/info?x=y HTTP/1.1\r\n")


def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    error = error_of(get(f"unix://{tmp_path}/engine.sock:/info"))
    assert (error.name, error.message) == (
        "unreachable",
        f"could not reach {tmp_path}/engine.sock: no such file or directory",
    )


def test_nobody_listens() -> None:
    error = error_of(get("http://127.0.0.1:9/v2/"))
    assert (error.name, error.message) == ("unreachable", "could not reach 127.0.0.1:9: connection refused")
    assert isinstance(error, UnavailableError)


def test_a_name_without_an_address() -> None:
    error = error_of(get("https://registry.invalid/v2/"))
    assert (error.name, error.message) == ("no-such-host", "the name registry.invalid has no address")


def test_a_silent_server() -> None:
    with serving(lambda connection, _: time.sleep(60)) as server:
        begin = time.monotonic()
        error = error_of(get(f"http://127.0.0.1:{server.port}/", timeout=0.2))
    assert (error.name, error.message) == ("no-answer", f"127.0.0.1:{server.port} said nothing for 0.2 s")
    assert time.monotonic() - begin < 30


def test_a_server_that_drips_meets_the_deadline() -> None:
    def drip(connection, _):  # type: ignore[no-untyped-def] # a scripted server
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):  # 50 seconds
            connection.sendall(b"x")
            time.sleep(0.05)

    with serving(drip) as server:
        begin = time.monotonic()
        error = error_of(get(f"http://127.0.0.1:{server.port}/", timeout=20, deadline=0.4))
    assert error.name == "no-answer"
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"\x15\x03\x01garbage\r\n\r\n",
    ],
    ids=["nothing", "short", "short chunk", "garbage"],
)
def test_an_answer_cut_off_is_never_believed(answer: bytes) -> None:
    def script(connection, _):  # type: ignore[no-untyped-def] # a scripted server
        connection.sendall(answer)
        connection.shutdown(2)

    with serving(script) as server:
        assert error_of(get(f"http://127.0.0.1:{server.port}/")).name == "connection-lost"


def test_plain_http_is_for_loopback_and_named_hosts_only() -> None:
    error = error_of(get("http://registry.example/v2/"))
    assert isinstance(error, RefusedError)
    assert error.name == "plain-http"
    allowed = Network(plain=("registry.invalid:5000",))
    assert error_of(get("http://registry.invalid:5000/v2/"), allowed).name == "no-such-host"
    assert error_of(get("http://registry.invalid:5001/v2/"), allowed).name == "plain-http"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:secret@127.0.0.1/",
        "https:///path",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/\r\nX-Evil: 1",
        "https://127.0.0.1:99999/",
        "127.0.0.1/v2",
    ],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    error = error_of(get(url))
    assert isinstance(error, UsageError)
    assert error.name == "bad-url"
    assert "secret" not in error.message + "".join(error.where)


def test_header_values_cannot_carry_line_breaks() -> None:
    with serving(say(OK)) as server:
        request = Request(method="GET", url=f"http://127.0.0.1:{server.port}/", headers=(("X", "a\r\nEvil: 1"),))
        assert error_of(request).name == "bad-url"
    assert server.seen == []
