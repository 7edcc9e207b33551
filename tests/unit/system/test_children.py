"""Children that are waited for: their codes, whoever interrupts, and however many wait."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest

from wherry.kit.ports import Command
from wherry.system import children
from wherry.system.children import Started, spawn

OWN = (children.__file__, subprocess.__file__)
MOST = 5000


def shell(words: str) -> Started:
    return spawn(Command(argv=("/bin/sh", "-c", words)))


@pytest.mark.parametrize(("words", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
@pytest.mark.parametrize("seconds", [None, 30.0])
def test_its_code(words: str, code: int, seconds: float | None) -> None:
    child = shell(words)
    assert child.wait(seconds) == code
    assert child.wait(0) == child.wait() == code, "also when it is asked again"


def test_one_that_goes_on_is_not_waited_for_longer() -> None:
    child = shell("exec sleep 60")
    began = time.monotonic()
    assert child.wait(0) is None
    assert child.wait(0.1) is None
    assert 0.1 <= time.monotonic() - began < 20
    child.signal(signal.SIGKILL)
    assert child.wait(30.0) == 137
    child.signal(signal.SIGKILL)  # nobody is there, and nobody else is hit


def interrupted_at(number: int, waiting: Callable[[], object]) -> bool:
    """Whether there was such a step: an interrupt comes between two instructions of the code that waits."""
    left = [number]

    def step(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in OWN:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        waiting()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("seconds", [None, 30.0])
def test_whenever_an_interrupt_comes_the_next_one_who_waits_gets_the_code(seconds: float | None) -> None:
    for number in range(1, MOST):
        child = shell("exit 7")
        there = interrupted_at(number, lambda child=child: child.wait(seconds))  # type: ignore[misc]
        assert child.wait(30.0) == 7, f"step {number}"
        if not there:
            break
    assert 20 < number < MOST - 1


def test_each_of_several_who_wait_gets_the_code() -> None:
    for _ in range(20):
        child, ready = shell("exit 7"), threading.Barrier(4)

        def waited(child: Started = child, ready: threading.Barrier = ready) -> int | None:
            ready.wait()
            return child.wait(30.0)

        with ThreadPoolExecutor(4) as pool:
            assert {one.result() for one in [pool.submit(waited) for _ in range(4)]} == {7}


def test_nobody_is_not_this_processs_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """kill(2) takes 0 for that; here it is a program that ended before anybody knew its number."""
    sent = list[tuple[int, int]]()
    monkeypatch.setattr("os.kill", lambda *words: sent.append(words))
    children.kill(0, signal.SIGKILL)
    assert sent == []
