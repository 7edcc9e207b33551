"""The runbook under crun, Docker and podman: the same commands, the same answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, servers
from tests.support.containers import Engine
from tests.support.programs import path_without
from tests.support.runbook import Book, book, get, kill, until
from tests.support.servers import free_port
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]


@pytest.fixture(params=["crun", "docker", "podman"])
def shelf(request: pytest.FixtureRequest) -> Iterator[tuple[Book, str]]:
    with book() as found:
        if request.param == "crun":
            need("crun")
            servers.need_root()
        else:
            engine: Engine = request.getfixturevalue(request.param)
            found.environment |= engine.variables
            found.environment["PATH"] = os.environ["PATH"] if request.param == "podman" else path_without("podman")
        yield found, str(request.param)


def test_from_its_start_to_its_end(shelf: tuple[Book, str]) -> None:
    book_, engine = shelf
    port = free_port()
    words = ("run", "-q", "-d", "--engine", engine, apps.place("good"), "--name", "good", "-p", f"{port}:8080")
    assert book_.good(*words) == "good"
    assert get(port, "/healthz")
    known = book_.containers()["good"]
    assert (known["state"], known["engine"]) == ("running", engine)
    until(lambda: book_.containers()["good"]["health"] == "healthy")
    assert "listening" in book_.good("logs", "good").lower()
    (used,) = book_.json("stats", "good")
    assert used["memory_limit"] == 256 << 20
    kill(*book_.monitors())
    assert book_.containers()["good"]["pid"] == known["pid"]
    assert get(port, "/healthz")
    done = book_("stop", "good")
    assert "stopped in peace" in done.stderr, done.stderr
    assert book_.containers()["good"]["end"]["code"] == 0
    book_.good("rm", "good")
    book_.until_nothing_is_left()


def test_an_end_without_a_monitor(shelf: tuple[Book, str]) -> None:
    book_, engine = shelf
    book_.good("run", "-q", "-d", "--engine", engine, apps.place("good"), "--name", "alone")
    pid = book_.containers()["alone"]["pid"]
    book_.until_it_listens("alone")
    kill(*book_.monitors())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists())
    until(lambda: not book_.processes("/bin/sh"))
    assert book_.containers()["alone"]["end"]["code"] == 0
    book_.good("rm", "alone")
    book_.until_nothing_is_left()
