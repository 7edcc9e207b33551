"""Containers as text: what was decided, where it answers, how it ended. Values in, lines out."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, TextIO

from wherry.cli.output import Output

if TYPE_CHECKING:
    from wherry.flows.attend import Write
    from wherry.flows.run import Ran
    from wherry.model.container import Container
    from wherry.runtime.folders import End, Record

#: Decisions worth a row, by their labels.
SHOWN = {
    "user": "user",
    "capabilities": "caps",
    "writable": "writable",
    "rootfs": "root",
    "memory": "memory",
    "cpus": "cpus",
    "network": "network",
}


def written(stdout: TextIO, stderr: TextIO) -> Write:
    """The program's own words as they are, to our streams of the same name."""
    lock = threading.Lock()
    streams = {"stdout": stdout, "stderr": stderr}

    def write(name: str, data: bytes) -> None:
        with lock, contextlib.suppress(OSError, ValueError):
            stream = streams[name]
            stream.flush()
            stream.buffer.write(data)
            stream.buffer.flush()

    return write


def show_decided(container: Container, output: Output) -> None:
    """Before it starts: what, as whom, within which limits."""
    output.progress("")
    output.line(f"{container.name}   {container.image.partition('@')[0]}   {container.platform}")
    rows = [(SHOWN[one.name], one.value, one.reason) for one in container.decisions if one.name in SHOWN]
    output.rows(rows)
    for finding in container.findings:
        output.finding(finding)


def show_started(record: Record, output: Output) -> None:
    """Where it answers."""
    for address in record.addresses:
        outer, _, inner = address.partition("->")
        output.row("port", f"http://{outer}" if inner.endswith("/tcp") else outer, f"to {inner}")


def show_end(ran: Ran, output: Output) -> None:
    """How it ended, where that is worth a word."""
    from wherry.cli.endings import meaning

    text = meaning(ran.end, ran.container)
    if text:
        output.line(text)


def exit_code(end: End) -> int:
    """The program's own; 137 when nobody saw it."""
    return 137 if end.code is None else end.code
