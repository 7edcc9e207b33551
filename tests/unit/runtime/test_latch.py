"""A program's file that nobody can open until it is let go."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
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


def test_a_file_that_somebody_else_has_open_cannot_be_latched(latch: Latch) -> None:
    with latch.file.open("rb"), pytest.raises(OSError, match="unavailable"):
        latch.shut()
    latch.close()
    latch.shut()


def test_a_killed_program_waits_no_longer(latch: Latch) -> None:
    latch.shut()
    with subprocess.Popen(["sh", "-c", 'exec "$0"', str(latch.file)]) as child:
        assert until(latch.is_met)
        child.kill()
        assert child.wait(20) == -9
