"""A program's file that nobody can open until it is let go."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wherry.runtime.latch import Latch


@pytest.fixture
def latch(tmp_path: Path) -> Iterator[Latch]:
    """On a program that ends at once."""
    shutil.copy("/bin/true", tmp_path / "true")
    with contextlib.closing(Latch(tmp_path / "true")) as made:
        yield made


def until(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not what() and time.monotonic() < end:
        time.sleep(0.01)
    return what()


def test_a_program_waits_at_its_start_until_it_is_let_go(latch: Latch) -> None:
    latch.shut()
    assert not latch.is_met()
    shell = ["sh", "-c", 'echo "$$"; exec "$0"', str(latch.file)]
    with subprocess.Popen(shell, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == f"{child.pid}\n"
        assert until(latch.is_met), "and the kernel's notice of it did not end this process"
        assert Path(f"/proc/{child.pid}/comm").read_text() == "sh\n"
        assert child.poll() is None
        latch.close()
        assert child.wait(20) == 0


def test_a_file_that_stays_open_elsewhere_cannot_be_latched(latch: Latch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.runtime.latch.PATIENCE", 0.1)
    with latch.file.open("rb"), pytest.raises(BlockingIOError):
        latch.shut()


def test_who_had_the_file_open_for_a_moment_is_waited_for(latch: Latch) -> None:
    """As a child does that another thread has just forked."""
    with latch.file.open("rb") as other:
        threading.Timer(0.1, other.close).start()
        latch.shut()
        assert other.closed


def test_a_killed_program_waits_no_longer(latch: Latch) -> None:
    latch.shut()
    with subprocess.Popen(["sh", "-c", 'exec "$0"', str(latch.file)]) as child:
        assert until(latch.is_met)
        child.kill()
        assert child.wait(20) == -9
