"""A program that is followed, and what has its number afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import cast

import pytest

from wherry.flows import followed
from wherry.flows.followed import Followed
from wherry.runtime.folders import Place
from wherry.runtime.look import born


class Engine:
    """One that has ended with 0."""

    pid = 1

    def wait(self, seconds: float | None = None, /) -> int | None:
        return 0

    def signal(self, number: int, /) -> None:
        raise AssertionError


class Folder:
    def __init__(self, pid: int) -> None:
        self._pid = pid

    def pid(self) -> int:
        return self._pid


@pytest.fixture
def program() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def followed_by(pid: int) -> Followed:
    return Followed(Engine(), cast(Place, Folder(pid)), os.kill)


def test_an_engine_that_ends_before_its_program_has_lost_it(program: subprocess.Popen[bytes]) -> None:
    one = followed_by(program.pid)
    assert (one.wait(0), one.lost) == (0, True)
    assert program.wait(10) == -9


def test_whoever_has_its_number_later_is_left_alone(
    program: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = followed_by(program.pid)
    monkeypatch.setattr(followed, "born", lambda pid: born(pid) + 1)
    assert (one.wait(0), one.lost) == (0, False)
    assert program.poll() is None


def test_when_a_process_was_started(program: subprocess.Popen[bytes]) -> None:
    assert born(os.getpid()) <= born(program.pid)
    assert born(program.pid) == born(program.pid) > 0
    program.kill()
    program.wait()
    assert born(program.pid) == 0
