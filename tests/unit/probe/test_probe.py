"""The probe, run by the kernel or qemu, against real loopback servers in; its exit status and time out."""

from __future__ import annotations

import platform
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.tools import need
from tests.unit.probe.server import closing, drips, overloaded, refusing, resets, says, serving, silent
from wherry.probe.elf import ARCHITECTURES, HEALTHY_STATUS, probe_elf

# Go's word, the kernel's word, the emulator for other machines
MACHINES = (
    ("amd64", "x86_64", "qemu-x86_64-static"),
    ("arm64", "aarch64", "qemu-aarch64-static"),
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
LONG = "20"  # seconds: for tests where the deadline must play no part, however busy the machine
NEVER = "3600"  # longer than the test waits: for those where the probe must not wait for its deadline


class Result(NamedTuple):
    status: int
    seconds: float


Probe = Callable[..., Result]


@pytest.fixture(params=ARCHITECTURES)
def probe(request: pytest.FixtureRequest, tmp_path: Path) -> Probe:
    """Runs the probe of one architecture with the arguments given."""
    ((_, machine, emulator),) = (row for row in MACHINES if row[0] == request.param)
    program = tmp_path / "probe"
    program.write_bytes(probe_elf(request.param))
    program.chmod(0o555)
    command = [str(program)]
    if platform.machine() != machine:
        need(emulator)
        command.insert(0, emulator)

    def run(*arguments: str) -> Result:
        start = time.monotonic()
        done = subprocess.run([*command, *arguments], capture_output=True, timeout=30, check=False)
        assert (done.stdout, done.stderr) == (b"", b"")
        return Result(done.returncode, time.monotonic() - start)

    return run


def test_every_architecture_is_run_here() -> None:
    assert tuple(row[0] for row in MACHINES) == ARCHITECTURES


@pytest.mark.parametrize("status", [100, 199, 200, 204, 299, 302, 399, 400, 404, 500, 503, 599, 999])
def test_status(probe: Probe, status: int) -> None:
    with serving(says(b"HTTP/1.1 %d Some Words\r\nContent-Length: 0\r\n\r\n" % status)) as server:
        assert probe(server.port, "/healthz", LONG).status == (0 if status in HEALTHY_STATUS else 1)


def test_request(probe: Probe) -> None:
    with serving(says(OK)) as server:
        assert probe(server.port, "/healthz?full=1&who=%C3%A9#\u00e9", LONG).status == 0
    assert server.requests == [
        "GET /healthz?full=1&who=%C3%A9#\u00e9 HTTP/1.0\r\nHost: localhost\r\nUser-Agent: wherry-probe\r\n"
        "Connection: close\r\n\r\n".encode()
    ]


@pytest.mark.parametrize("size", [1, 2, 900, 5000, 100_000])
def test_path_of_any_length(probe: Probe, size: int) -> None:
    path = "/" + "p" * (size - 1)
    with serving(says(OK)) as server:
        assert probe(server.port, path, LONG).status == 0
    assert server.requests[0].split(b"\r\n")[0] == f"GET {path} HTTP/1.0".encode()


@pytest.mark.parametrize(
    "answer",
    [
        says(b"HT", b"TP/1.1 200 OK\r\n\r\n", pause=0.05),
        says(b"HTTP/1.1 2", b"00", b" OK\r\n\r\n", pause=0.05),
        drips(OK, 0.01),
        says(b"HTTP/1.0 200 OK\r\n\r\n"),
        says(b"HTTP/1.1 200 \r\n\r\n"),
        says(b"HTTP/1.1 200\r\n\r\n"),
        says(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n"),
        says(OK, b"x" * 10_000_000),
    ],
    ids=["split", "split in the status", "drips", "1.0", "no reason", "no space", "huge header", "huge body"],
)
def test_healthy_answer(probe: Probe, answer: Callable[[socket.socket, bytes], None]) -> None:
    with serving(answer) as server:
        assert probe(server.port, "/", LONG).status == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46 200 200 ",
        b"ICY 200 OK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.2 200 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1\t200 OK\r\n\r\n",
        b"HTTP/1.1_200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 -20 OK\r\n\r\n",
        b"HTTP/1.1 20\x00 OK\r\n\r\n",
        b"HTTP/1.1 \x00\x00\x00 OK\r\n\r\n",
        bytes(4096),
        b"\xff" * 4096,
        b"<html>200 OK</html>",
    ],
)
def test_garbage_is_unhealthy(probe: Probe, answer: bytes) -> None:
    with serving(says(answer)) as server:
        assert probe(server.port, "/", NEVER).status == 1


def test_refused(probe: Probe) -> None:
    with refusing() as port:
        assert probe(port, "/", NEVER).status == 1


def test_reset(probe: Probe) -> None:
    with serving(resets) as server:
        assert probe(server.port, "/", NEVER).status == 1


def test_closed_at_once(probe: Probe) -> None:
    with closing() as port:
        assert [probe(port, "/" + "p" * 100_000, NEVER).status for _ in range(5)] == [1] * 5


def test_silent_server_ends_after_two_seconds(probe: Probe) -> None:
    with serving(silent) as server:
        result = probe(server.port, "/")
    assert result.status == 1
    assert 1.9 < result.seconds < 10


def test_shorter_timeout(probe: Probe) -> None:
    with serving(says(OK, pause=1.4)) as server:
        assert probe(server.port, "/", "1").status == 1


def test_longer_timeout(probe: Probe) -> None:
    with serving(says(OK, pause=2.2)) as server:
        assert probe(server.port, "/", LONG).status == 0


def test_dripping_does_not_move_the_deadline(probe: Probe) -> None:
    with serving(drips(OK, 0.2)) as server:  # 2.6 s for the status line
        assert probe(server.port, "/", "1").status == 1


def test_connecting_has_the_deadline_too(probe: Probe) -> None:
    with overloaded() as port:
        assert probe(port, "/", "1").status == 1


def test_deadline_where_the_parent_blocked_and_ignored_its_signal(probe: Probe) -> None:
    handler = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        with serving(silent) as server:
            assert probe(server.port, "/", "1").status == 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, handler)


def test_server_on_ipv6_only(probe: Probe) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this host has no IPv6 loopback: {error}")
    with serving(says(OK), host="::1") as server:
        assert probe(server.port, "/healthz", LONG).status == 0
    assert server.requests[0].startswith(b"GET /healthz HTTP/1.0\r\n")
    with serving(says(b"HTTP/1.1 500 Oops\r\n\r\n"), host="::1") as server:
        assert probe(server.port, "/healthz", NEVER).status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "PORT",
        "PORT / 2 more",
        "PORTx /",
        "+PORT /",
        "-PORT /",
        "_PORT /",
        "WRAPPED /",
        "FAR /",
        "0 /",
        "none /",
        "PORT none",
        "PORT healthz",
        "PORT http://localhost/",
        "PORT /a_b",
        "PORT /a\tb",
        "PORT /a\r\nb",
        "PORT /a\x01",
        "PORT / none",
        "PORT / 0",
        "PORT / -1",
        "PORT / 1.5",
        "PORT / 2s",
        "PORT / 65536",
        "PORT / 4294967298",
    ],
)
def test_wrong_arguments_ask_nobody(probe: Probe, arguments: str) -> None:
    with serving(says(OK)) as server:
        wrapped, far = str(int(server.port) + 2**16), str(int(server.port) + 2**32)
        text = arguments.replace("PORT", server.port).replace("WRAPPED", wrapped).replace("FAR", far)
        words = [word.replace("none", "").replace("_", " ") for word in text.split(" ") if word]
        assert probe(*words).status == 1
    assert server.requests == []
