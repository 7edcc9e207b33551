"""Commands in a container that runs: what its image has (exec), and what another one brings along (debug)."""

from __future__ import annotations

import os
import pty
import re
import select
from collections.abc import Iterator

import pytest

from tests.support import apps
from tests.support.cli import COMMAND, variables
from tests.support.runbook import Book, answering, book, get, need_exec
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


@pytest.fixture(scope="module")
def good(shelf: Book) -> Iterator[int]:
    with answering(shelf) as port:
        yield port


def test_exec_runs_what_the_image_has(shelf: Book, good: int) -> None:
    need_exec()
    done = shelf("exec", "good", "/app/good")
    assert "address already in use" in done.stdout + done.stderr, "the network is the container's"
    assert done.code != 0


def test_exec_without_a_shell_names_the_way_on(shelf: Book, good: int) -> None:
    need_exec()
    done = shelf("exec", "good", "sh")
    assert " ".join(done.stderr.split()).count("executable file not found") == 1, done.stderr
    assert done.code == 3
    assert "[no-entrypoint]" in done.stderr
    assert "wherry debug good" in done.stderr


def test_debug_brings_tools_along(shelf: Book, good: int) -> None:
    need("busybox")
    assert shelf.good("debug", "good", "id", "-u") == "65532"
    assert "/app/good" in shelf.good("debug", "good", "ps")
    assert shelf.good("debug", "good", "ls", "/proc/1/root/app") == "good"
    assert shelf.good("debug", "good", "wget", "-qO-", "127.0.0.1:8080/healthz")
    assert shelf("debug", "good", "sh", "-c", "exit 5").code == 5
    status = shelf.good("debug", "good", "cat", "/proc/self/status")
    assert re.search(r"CapBnd:\s+0+$", status, re.MULTILINE)
    assert re.search(r"Seccomp:\s+2$", status, re.MULTILINE)
    assert get(good, "/healthz"), "the container itself goes on"


def test_debug_without_such_a_tool_names_ways_on(shelf: Book, good: int) -> None:
    need("busybox")
    ways = {
        "nosuch": "wherry debug good busybox",
        f"--image={apps.place('good')}": f"wherry inspect {apps.place('good')}",
    }
    for word, way in ways.items():
        done = shelf("debug", "good", word)
        assert (done.code, "--entrypoint" in done.stderr) == (3, False), "that is none of its options"
        assert way in " ".join(done.stderr.split()), done.stderr
        assert shelf.good(*way.split()[1:])


def test_debug_in_a_terminal_of_its_own(shelf: Book, good: int) -> None:
    need("busybox")
    pid, ours = pty.fork()
    if pid == 0:
        environment = variables(shelf.folder / "home", **shelf.environment)
        os.execve(
            COMMAND[0], [*COMMAND, "debug", "good", "sh", "-c", "tty; readlink /proc/self/fd/0; exit 6"], environment
        )
    said = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            said += os.read(ours, 4096)
        except OSError:
            break
    assert b"/dev/pts/0" in said
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6
