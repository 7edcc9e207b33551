"""What a container said, from its log: a container and a choice in, lines out, as they come if they are followed."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

from wherry.errors import UsageError
from wherry.flows.runbook import Kept
from wherry.kit.value import Value
from wherry.runtime.logs import Line, Tail, stamp

STEP: Final = 0.1
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?Z?)?", re.ASCII)


class Choice(Value, frozen=True, kw_only=True):
    """Which lines."""

    since: str = ""
    """A time as in the log, or `10m` ago."""
    tail: int | None = None
    """The last so many."""
    follow: bool = False


def lines(kept: Kept, choice: Choice, now: float) -> Iterator[Line]:
    """Pieces of long lines come one by one. UsageError [no-log] for a container of the foreground, [container-option]."""
    if kept.record.foreground:
        raise UsageError(
            "no-log",
            f"{kept.record.container.name} runs in the foreground",
            why="what it says goes to where it was started, and nowhere else",
            next="wherry run -d",
        )
    after = since(choice.since, now) if choice.since else ""
    with contextlib.closing(Tail(kept.place.logs)) as tail:
        there: Iterator[Line] = (line for line in tail.more() if line.time >= after)
        if choice.tail is not None:
            there = iter(_last(there, choice.tail))
        yield from there
        while choice.follow:
            over = kept.place.end() is not None or not kept.place.path.is_dir()
            yield from tail.more()
            if over:
                return
            time.sleep(STEP)


def since(text: str, now: float) -> str:
    """`10m` or `2026-01-02T03:04:05Z` as the log's own text. UsageError [container-option]."""
    if text[:-1].isdigit() and len(text) < 10 and text[-1] in UNITS:
        return stamp(int((now - int(text[:-1]) * UNITS[text[-1]]) * 1e9))
    if _TIME.fullmatch(text):
        return text.removesuffix("Z")
    raise UsageError(
        "container-option",
        f"{text[:40]!r} is no time",
        where=f"--since {text[:40]}",
        next="--since 10m, or --since 2026-01-02T03:04:05Z",
    )


def _last(there: Iterator[Line], count: int) -> list[Line]:
    """Whole lines count; their pieces come with them."""
    kept: deque[list[Line]] = deque(maxlen=max(count, 1))
    open_: dict[str, list[Line]] = {}
    for line in there:
        pieces = open_.setdefault(line.stream, [])
        if not pieces:
            kept.append(pieces)
        pieces.append(line)
        if line.whole:
            del open_[line.stream]
    return [line for pieces in kept for line in pieces] if count else []
