"""Engines that somebody kills while a container runs: one clear message, and nothing of the container stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import apps, servers
from tests.support.runbook import Book, book, get, kill, pids, until
from tests.support.servers import free_port
from tests.support.tools import need
from wherry.runtime.look import lives, parent_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("engines")]
DIED, KILLED = "explain engine-died", "killed by SIGKILL"


@pytest.fixture
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


@contextlib.contextmanager
def started(shelf: Book, engine: str, *words: str) -> Iterator[tuple[int, subprocess.Popen[bytes] | None]]:
    """The application's process, and the wherry that waits for it unless it was told not to."""
    need(engine)
    port, place = free_port(), apps.place("good")
    options = ("--engine", engine, "--name", "good", "-p", f"{port}:8080", *words)
    process = None
    if "-d" in words:
        shelf.good("run", "-q", place, *options)
    else:
        process = shelf.popen("run", place, *options)
    try:
        get(port, "/healthz")
        yield int(shelf.containers()["good"]["pid"]), process
    finally:
        if process is not None:
            process.kill()
            process.communicate()


def told(shelf: Book, process: subprocess.Popen[bytes] | None) -> tuple[int, str]:
    """Status and words for the user: of the wherry that waited, else how it is listed and explained."""
    if process is not None:
        _, said = process.communicate(timeout=60)
        return process.returncode, said.decode()
    until(lambda: shelf.containers()["good"]["state"] == "ended")
    explained = shelf("inspect", "good").stdout
    shelf.good("rm", "good")
    return 0, explained


@contextlib.contextmanager
def engine_of(shelf: Book, name: str) -> Iterator[Callable[[], str]]:
    """A function that tells which containers the engine itself knows."""
    with contextlib.ExitStack() as held:
        if name == "docker":
            shelf.environment["DOCKER_HOST"] = held.enter_context(servers.dockerd())
        elif name == "podman":
            shelf.environment |= {"PATH": os.environ["PATH"], **held.enter_context(servers.podman())}
        yield lambda: known(shelf, name)


def known(shelf: Book, engine: str) -> str:
    if engine not in ("docker", "podman"):
        return ""
    environment = {**os.environ, **shelf.environment}
    done = subprocess.run([engine, "ps", "-aq"], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


FLAGS = pytest.mark.parametrize("flags", [(), ("-d",)], ids=["foreground", "detached"])


@FLAGS
@pytest.mark.parametrize("engine", ["runc", "crun", "docker", "podman"])
def test_the_process_that_looks_after_the_program(engine: str, flags: tuple[str, ...], shelf: Book) -> None:
    """runc and crun themselves, Docker's shim, podman's monitor. containerd sometimes ends the program before anybody sees that
    it has lost its shim; what is said then is true, too."""
    with engine_of(shelf, engine) as others, started(shelf, engine, *flags) as (pid, process):
        kill(parent_of(pid))
        code, said = told(shelf, process)
        by_shim = engine == "docker" and KILLED in said
        assert said.count(DIED) == (0 if by_shim else 1), said
        assert code == (0 if flags else 137 if by_shim else 4)
        assert by_shim or " good was killed" in f" {' '.join(said.split())}"
        until(lambda: not lives(pid))
        assert (shelf.left(), others()) == ([], "")


@FLAGS
@pytest.mark.parametrize("engine", ["runc", "crun"])
def test_the_programs_first_process(engine: str, flags: tuple[str, ...], shelf: Book) -> None:
    with engine_of(shelf, engine) as others, started(shelf, engine, *flags) as (pid, process):
        kill(pid)
        code, said = told(shelf, process)
        assert (said.count("good ended with status 137: killed by SIGKILL"), code) == (1, 0 if flags else 137), said
        assert DIED not in said
        assert (shelf.left(), others()) == ([], "")


@FLAGS
def test_dockers_daemon(flags: tuple[str, ...], shelf: Book) -> None:
    """What it keeps in its books is taken away by the first look after it is back."""
    with servers.short_folder() as folder:
        with servers.dockerd_in(folder, "--storage-driver=vfs") as host:
            shelf.environment["DOCKER_HOST"] = host
            with started(shelf, "docker", *flags) as (pid, process):
                os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
                if process is None:
                    until(lambda: shelf.containers()["good"]["state"] == "ended")
                    said, code = shelf("inspect", "good").stdout, 4
                else:
                    code, said = told(shelf, process)
                assert (code, said.count(DIED)) == (4, 1), said
                assert not lives(pid)
        assert shelf("ps", "--all").code == 0, "other containers can be looked at while it is away"
        with servers.dockerd_in(folder, "--storage-driver=vfs"):
            assert known(shelf, "docker"), "the test can tell"
            noted = shelf("ps", "--all")
            assert (noted.code, known(shelf, "docker")) == (0, "")
            assert ("could not take it away before" in " ".join(noted.stderr.split())) == (not flags), noted.stderr
            if flags:
                shelf.good("rm", "good")
            assert shelf.left() == []
            until(lambda: not shims(folder))


def test_wherry_and_dockers_daemon_at_once(shelf: Book) -> None:
    with servers.short_folder() as folder:
        with servers.dockerd_in(folder, "--storage-driver=vfs") as host:
            shelf.environment["DOCKER_HOST"] = host
            with started(shelf, "docker") as (pid, process):
                assert process is not None
                kill(process.pid, int((folder / "pid").read_text()))
                process.communicate()
                said = " ".join(shelf("ps").stderr.split())
                assert "stays until docker answers" in said
                assert said.count("[mended]") == 1
        with servers.dockerd_in(folder, "--storage-driver=vfs"):
            assert "the wherry that ran it was killed" in " ".join(shelf("ps").stderr.split())
            assert (known(shelf, "docker"), shelf.left(), lives(pid)) == ("", [], False)
            until(lambda: not shims(folder))


def shims(folder: Path) -> list[int]:
    """Docker's own helpers of this daemon."""
    found = []
    for pid in pids():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"containerd-shim" in line and os.fsencode(folder) in line:
                found.append(pid)
    return found
