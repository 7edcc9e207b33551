"""What an exit code means. An End in, a sentence out; touches nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wherry.model.container import Container
    from wherry.runtime.folders import End

#: By convention of shells and of Go.
CODES = {
    1: "an error that it told above",
    2: "a panic, wrong flags, or a signal that it does not handle: Go ends so as the first process",
    126: "the program could not be executed",
    127: "a program was not found",
}


def meaning(end: End, container: Container) -> str:
    """Empty for an end in peace."""
    name = container.name
    if end.code is None:
        return f"{name} has ended, and nobody saw how"
    if end.out_of_memory:
        return f"{name} was killed: it needed more than its memory limit, see --memory"
    if end.why == "killed":
        return f"{name} did not stop within {container.grace:g} s of {container.stop_signal}, and was killed"
    if end.code == 0:
        return "" if end.why == "exited" else f"{name} stopped in peace"
    said = f"{name} ended with status {end.code}"
    if end.code > 128:
        return f"{said}: killed by {_signal(end.code - 128)}"
    return f"{said}: {CODES[end.code]}" if end.code in CODES else said


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
