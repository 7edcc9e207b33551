"""Work on several threads: order, bounds, and failures that reach the caller at once."""

from __future__ import annotations

import threading
import time

import pytest

from wherry.errors import UnavailableError
from wherry.kit.parallel import each


def test_results_come_in_order() -> None:
    def slow(item: int) -> int:
        time.sleep(0.02 / (item + 1))
        return item * item

    assert each(slow, range(20), at_once=4) == tuple(item * item for item in range(20))
    assert each(slow, (), at_once=4) == ()
    assert each(lambda _: None, "ab", at_once=9) == (None, None)


def test_no_more_run_at_once_than_may() -> None:
    running, most, lock, together = 0, 0, threading.Lock(), threading.Barrier(3)

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(30)
        with lock:
            running -= 1

    each(work, range(12), at_once=3)
    assert most == 3


def test_the_first_failure_does_not_wait_for_the_others() -> None:
    begun: list[int] = []
    release = threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise UnavailableError("connection-lost", "cut")
        release.wait(60)

    start = time.monotonic()
    with pytest.raises(UnavailableError, match="cut"):
        each(work, range(50), at_once=2)
    assert time.monotonic() - start < 30
    release.set()
    time.sleep(0.05)
    assert len(begun) < 5
