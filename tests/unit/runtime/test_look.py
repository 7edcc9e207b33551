"""Looking at processes: this one and children of the test, and a small server in its own network where root may make one."""

from __future__ import annotations

import errno
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.runbook import until
from tests.support.servers import free_port
from wherry.runtime import look
from wherry.runtime.look import (
    accepted,
    age,
    answers_at,
    family,
    hears,
    identity,
    lives,
    sockets,
    until_it_hears,
    zombies,
)
from wherry.system.asking import ask


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/cut":
            self.connection.close()
            return
        time.sleep(1.5 if self.path == "/slow" else 0)
        self.send_response(503 if self.path == "/bad" else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_this_process_is_who_it_is() -> None:
    seen = identity(os.getpid())
    assert (seen.uid, seen.gid, seen.host_uid) == (os.geteuid(), os.getegid(), os.geteuid())
    assert {name for name, _ in seen.capabilities} == {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}
    assert seen.namespaces == ()


def test_who_has_ended_has_no_namespaces_that_were_seen() -> None:
    """Its state is there until somebody collects it, and says nothing of where it was."""
    with subprocess.Popen(["true"]) as child:
        end = time.monotonic() + 20
        while lives(child.pid) and time.monotonic() < end:
            time.sleep(0.01)
        assert "NoNewPrivs" in Path(f"/proc/{child.pid}/status").read_text()
        with pytest.raises(OSError, match="ns/"):
            identity(child.pid)


def test_an_answer_counts_only_from_its_own_port(port: int) -> None:
    """With this machine's network somebody else may listen there."""
    assert answers_at(os.getpid(), port)
    assert not answers_at(os.getpid(), 1)
    inside = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    if os.geteuid() != 0:
        return
    with subprocess.Popen(
        ["unshare", "--pid", "--fork", sys.executable, "-c", inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin
        assert other.stdout
        theirs = int(other.stdout.readline())
        assert not answers_at(os.getpid(), theirs)
        child = int(Path(f"/proc/{other.pid}/task/{other.pid}/children").read_text())
        assert answers_at(child, theirs)
        assert not answers_at(child, port)
        other.stdin.close()


def test_a_program_that_nobody_knows_answers_nowhere(port: int) -> None:
    """0 stands for this machine's own network where somebody is dialled."""
    assert ask(0, port, "/").status == 200, "the test can tell"
    assert not answers_at(0, port)


def test_a_listening_port_is_seen_with_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(socket.AF_INET6) as other:
        other.bind(("::", 0))
        other.listen()
        seen = {(row.protocol, row.address, row.port) for row in sockets(os.getpid()).listening}
        assert ("tcp", "127.0.0.1", one.getsockname()[1]) in seen
        assert ("tcp", "::", other.getsockname()[1]) in seen
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        assert ("udp", "127.0.0.1", one.getsockname()[1]) in {
            (row.protocol, row.address, row.port) for row in sockets(os.getpid()).listening
        }


def test_a_request_has_arrived_when_it_was_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as asking:
            assert accepted(os.getpid(), port) == 0
            with server.accept()[0] as heard:
                assert accepted(os.getpid(), port) == 1
                asking.sendall(b"x")
                until(lambda: accepted(os.getpid(), port) == 0)
                heard.recv(1)
                assert accepted(os.getpid(), port) == 1
        until(lambda: accepted(os.getpid(), port) == 0)


def test_answers(port: int) -> None:
    assert ask(0, port, "/").status == 200
    assert ask(0, port, "/bad").status == 503
    slow = ask(0, port, "/slow", seconds=20)
    assert (slow.status, slow.ended - slow.began > 1.4) == (200, True)


def test_no_answers(port: int) -> None:
    assert ask(0, port, "/slow", seconds=0.2).error == "no answer in time"
    assert ask(0, port, "/cut").error in ("cut before an answer", "reset")
    free = free_port()
    assert ask(0, free, "/").error == "refused"
    assert ask(2**22 - 1, free, "/").error == "it has ended"


def test_who_has_ended_lives_no_more_collected_or_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert lives(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{child.pid}").exists(), "the test can tell"
        assert not lives(child.pid)
    assert not lives(child.pid)


def test_a_refusal_is_one_where_there_is_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    def dial(pid: int, address: tuple[str, int], /, seconds: float = 3.0) -> socket.socket:
        raise ConnectionRefusedError if address[0] == "127.0.0.1" else OSError(errno.EADDRNOTAVAIL, "no such address")

    monkeypatch.setattr("wherry.system.asking.dial", dial)
    assert ask(0, 1, "/").error == "refused"


def test_a_young_program_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import signal,time;input();time.sleep(0.5);signal.signal(signal.SIGTERM,lambda *_:None);time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        assert child.stdin
        try:
            monkeypatch.setattr(look, "YOUNG", 0.0)
            until_it_hears(child.pid, signal.SIGTERM, 0.0)
            assert not hears(child.pid, signal.SIGTERM), "the test can tell"
            child.stdin.write(b"\n")
            child.stdin.flush()
            monkeypatch.setattr(look, "YOUNG", 60.0)
            until_it_hears(child.pid, signal.SIGTERM, 0.0)
            assert hears(child.pid, signal.SIGTERM)
            assert 0.5 <= age(child.pid) < 60
        finally:
            child.kill()


def test_a_program_that_has_just_begun_is_waited_for() -> None:
    script = "import signal,time;input();time.sleep(0.2);signal.signal(signal.SIGTERM,lambda *_:None);time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        assert child.stdin
        try:
            assert not hears(child.pid, signal.SIGTERM)
            assert hears(child.pid, signal.SIGKILL)
            child.stdin.write(b"\n")
            child.stdin.flush()
            until_it_hears(child.pid, signal.SIGTERM, 20.0)
            assert hears(child.pid, signal.SIGTERM)
            began = time.monotonic()
            until_it_hears(child.pid, signal.SIGUSR1, 0.1)
            assert 0.1 <= time.monotonic() - began < 10
        finally:
            child.kill()
    assert hears(child.pid, signal.SIGUSR1)


def test_a_dead_child_that_nobody_collected_is_a_zombie() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        end = time.monotonic() + 20
        while child.pid not in zombies(os.getpid()) and time.monotonic() < end:
            time.sleep(0.01)
        assert child.pid in zombies(os.getpid())
        assert child.pid in family(os.getpid())
    assert child.pid not in zombies(os.getpid())


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of one's own needs root")
def test_a_network_of_its_own_is_asked_and_seen() -> None:
    script = (
        "import fcntl,socket,struct,sys;s=socket.socket();fcntl.ioctl(s,0x8914,struct.pack('16sH22x',b'lo',1));"
        "l=socket.create_server(('127.0.0.1',int(sys.argv[1])));print('up',flush=True)\n"
        "while True:\n c,_=l.accept();c.recv(999);c.sendall(b'HTTP/1.0 204 x\\r\\n\\r\\n');c.close()"
    )
    port = free_port()
    words = ["unshare", "-n", sys.executable, "-c", script, str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == b"up\n"
            assert ask(child.pid, port, "/").status == 204
            assert [(one.address, one.port) for one in sockets(child.pid).listening] == [("127.0.0.1", port)]
            assert "net" in (identity(child.pid).namespaces or ())
            assert ask(0, port, "/").error == "refused"
        finally:
            child.kill()
