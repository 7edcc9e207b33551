"""Signs of life. Events in, one changing line on a terminal, or a line a finished phase and a heartbeat in a log, out."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from wherry.cli.output import Output
from wherry.kit.ports import Event
from wherry.kit.text import megabytes, seconds

HEARTBEAT = 30.0
"""Seconds of silence in a log that is no terminal."""
TICK = 0.2

WORDS = {
    "analyze": "reading the sources",
    "compile": "compiling",
    "fetch": "fetching the base",
    "pack": "packing",
    "store": "storing",
    "push": "pushing",
    "copy": "copying",
    "record": "recording",
    "prove": "proving",
    "look": "looking at",
}


class Progress:
    """Shows what runs from the first event until the block, or `end`. `event` may be called from any thread."""

    def __init__(self, output: Output, first: Event = Event(phase="analyze")) -> None:  # noqa: B008 - immutable
        self._output = output
        self._current = first
        self._began = self._shown = time.monotonic()
        self._ended = threading.Event()
        self._noted: set[str] = set()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """From here on a program's own words are shown, and nothing between them."""
        self._ended.set()
        self._thread.join()
        self._output.progress("")

    def event(self, event: Event) -> None:
        """The events port."""
        if event.state == "note" and not (event.seconds and self._output.terminal):
            self._note(event)
        elif event.state != "end":
            self._current = event

    def _note(self, event: Event) -> None:
        """A line of its own, once: what was passed over, whom we wait for. A terminal shows waiting on its changing line."""
        if event.subject not in self._noted:
            self._noted.add(event.subject)
            self._output.progress("")
            self._output.line(event.subject + (f", in {seconds(event.seconds)} s" if event.seconds else ""))

    def _watch(self) -> None:
        while not self._ended.wait(TICK):
            if self._output.terminal:
                self._output.progress(self._line())
            elif time.monotonic() - self._shown >= HEARTBEAT:
                self._shown = time.monotonic()
                self._output.line(self._line())

    def _line(self) -> str:
        event = self._current
        word = WORDS.get(event.phase, event.phase)
        count = f"{megabytes(event.done)} of {megabytes(event.total)}" if event.total else ""
        what = " ".join(part for part in (word, event.subject, count) if part)
        return f"{what}, {seconds(time.monotonic() - self._began)} s so far"
