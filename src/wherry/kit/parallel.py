"""The same work on several threads. A function and items in, results in their order out; starts threads.

Threads are daemons: an interrupt or the first failure reaches the caller at once, and nobody waits for what still runs (H06).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(work: Callable[[T], R], items: Iterable[T], *, at_once: int) -> tuple[R, ...]:
    """`work` done on every item by at most `at_once` threads; raises the first failure, after which no item is begun."""
    todo = queue.SimpleQueue[tuple[int, T]]()
    done = queue.SimpleQueue[tuple[int, R | None, BaseException | None]]()
    count = 0
    for count, item in enumerate(items, 1):
        todo.put((count - 1, item))
    stop = threading.Event()

    def worker() -> None:
        while not stop.is_set():
            try:
                number, item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, work(item), None))
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                done.put((number, None, error))
                return

    for _ in range(min(at_once, count)):
        threading.Thread(target=worker, daemon=True).start()
    results: dict[int, R] = {}
    try:
        while len(results) < count:
            number, result, error = done.get()
            if error is not None:
                raise error
            results[number] = result  # type: ignore[assignment] # None only beside an error, or where R has it
    finally:
        stop.set()
    return tuple(results[number] for number in range(count))
