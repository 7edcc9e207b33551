"""F13 ★: a machine that takes its time to unmount and to remove groups, as under heavy writing: strace delays the calls. And an
engine that tells late how a program ended: that is not the program's time."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import apps
from tests.support.contained import case, image
from tests.support.runbook import Book, book, get, kill, until
from tests.support.servers import free_port
from tests.support.tools import need
from wherry.errors import UnavailableError
from wherry.flows import attend
from wherry.flows.container import placed
from wherry.flows.followed import Followed
from wherry.flows.sweep import sweep
from wherry.kit.ports import Command, Completed
from wherry.model.container import Options
from wherry.runtime import engines

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("runc")]
DELAY = 0.2
SLOWLY = ("--engine", "runc", "--relax", "old-runtime")  # it is no package's, which may be old
SLOW = """\
#!/bin/sh
echo "$@" >>{log}
exec strace -f -qq -o /dev/null -e trace=umount2,rmdir,unlinkat -e inject=umount2,rmdir,unlinkat:delay_enter={delay} {runc} "$@"
"""
LATE = """\
#!/bin/sh
{runc} "$@"; code=$?
case " $* " in *" run "*) sleep {delay} ;; esac
exit $code
"""
GRACE = 3.0
TOLD = 1.5 * GRACE
"""Seconds: later than its grace, which is long enough for a busy machine."""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Book]:
    """Its runc is slow, and writes down how it is called."""
    need("strace", "runc")
    slow = tmp_path / "runc"
    slow.write_text(
        SLOW.format(log=tmp_path / "calls", delay=int(DELAY * 1e6), runc=shutil.which("runc")), encoding="utf-8"
    )
    slow.chmod(0o755)
    with book() as found:
        found.environment["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
        yield found


def test_f13_slow_umount_of_one_in_the_foreground(shelf: Book, tmp_path: Path) -> None:
    began = time.monotonic()
    done = shelf("run", "-q", *SLOWLY, apps.place("exits3"), "--name", "slow")
    assert (done.code, shelf.left()) == (3, [])
    assert time.monotonic() - began > 2 * DELAY, "it was slow: at its start and at its end"
    assert " delete --force " in (tmp_path / "calls").read_text()


def test_f13_slow_umount_of_one_by_itself(shelf: Book) -> None:
    shelf.good("run", "-q", "-d", *SLOWLY, apps.place("good"), "--name", "slow")
    assert shelf("stop", "slow").code == 0
    shelf.good("rm", "slow")
    assert shelf.left() == []


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Book]:
    """Its runc tells of an end only when the grace has long been over."""
    need("runc")
    slow = tmp_path / "runc"
    slow.write_text(LATE.format(runc=shutil.which("runc"), delay=TOLD), encoding="utf-8")
    slow.chmod(0o755)
    with book() as found:
        found.environment["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
        yield found


QUICK = ("-e", "NOT_READY=1ms", "--grace", str(GRACE))


def test_what_an_engine_tells_late_is_no_late_stop(late: Book) -> None:
    """In a proof, of one that waits for its container, and of one by itself."""
    done = late("prove", *SLOWLY, *QUICK, "--only", "drain", "--set", "prove.tries=1", apps.place("good"))
    assert "drain  ended with 0 after " in done.stdout, done.stdout
    port = free_port()
    process = late.popen("run", *SLOWLY, *QUICK, apps.place("good"), "--name", "good", "-p", f"{port}:8080")
    get(port, "/healthz")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, b"good stopped in peace" in said) == (0, True), said
    late.good("run", "-q", "-d", *SLOWLY, *QUICK, apps.place("good"), "--name", "good", "-p", f"{port}:8080")
    get(port, "/healthz")
    began = time.monotonic()
    stopped = late("stop", "good")
    assert "good stopped in peace" in stopped.stderr, stopped.stderr
    assert time.monotonic() - began > TOLD, "it was told late"
    late.good("rm", "good")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_f13_slow_umount_and_wherry_ends_meanwhile(number: int, shelf: Book, tmp_path: Path) -> None:
    process = shelf.popen("run", "-q", *SLOWLY, apps.place("good"), "--name", "slow")
    until(lambda: shelf.containers().get("slow", {}).get("state") == "running")
    kill(int(shelf.containers()["slow"]["pid"]))
    until(lambda: " delete --force " in (tmp_path / "calls").read_text())
    process.send_signal(number)
    process.communicate(timeout=60)
    until(lambda: shelf("ps").code == 0 and shelf.left() == [])


def test_f13_slow_umount_beyond_all_patience(tmp_path: Path) -> None:
    """Its end is told at once; the folder stays, and the next look takes it away."""
    need("runc")

    def run(command: Command, /) -> Completed:
        if "delete" in command.argv:
            raise UnavailableError("program-timeout", "runc did not end in 30 s")
        return engine.machine.run(command)

    with case("runc", tmp_path) as engine:
        made = engine.made(image(), Options(arguments=("exit", "7")))
        slow = replace(made, runtime=replace(made.runtime, run=run))
        with placed(slow, engine.machine) as ready, attend.pipes(lambda _, __: None) as streams:
            child = engines.start(ready.runtime, ready.place, streams)
            streams.close()
            followed = Followed(child, ready.place, engine.machine.kill)
            one = attend.Attended(container=ready.container, place=ready.place, runtime=ready.runtime, child=followed)
            assert attend.until_end(one, engine.machine).code == 7
        assert ready.place.path.is_dir()
        (note,) = sweep(made.run, engine.machine)
        assert "could not take it away before" in note.message
        assert not ready.place.path.exists()
