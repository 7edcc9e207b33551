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
from wherry.runtime.look import born, parent_of


class Engine:
    """One that has ended with 0, or with what is given."""

    pid = 1

    def __init__(self, code: int | None = 0) -> None:
        self._code = code

    def wait(self, seconds: float | None = None, /) -> int | None:
        return self._code

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


def followed_by(pid: int, code: int | None = 0) -> Followed:
    return Followed(Engine(code), cast(Place, Folder(pid)), os.kill)


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


def test_a_program_that_ends_between_two_looks_has_lost_no_engine(
    program: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is gone has no parent, and has not got another one."""
    one = followed_by(program.pid, None)

    def asked_late(pid: int) -> int:
        program.kill()
        program.wait()
        return parent_of(pid)

    monkeypatch.setattr(followed, "parent_of", asked_late)
    assert (one.wait(0), one.lost) == (None, False)


def test_when_a_process_was_started(program: subprocess.Popen[bytes]) -> None:
    assert born(os.getpid()) <= born(program.pid)
    assert born(program.pid) == born(program.pid) > 0
    program.kill()
    program.wait()
    assert born(program.pid) == 0
