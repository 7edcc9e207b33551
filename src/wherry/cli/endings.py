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
#: What a signal from somewhere else usually means.
SIGNALS = {
    "SIGKILL": "by somebody on this machine, or by the kernel for its memory",
    "SIGSEGV": "it touched memory that is not there",
    "SIGSYS": "a system call that its seccomp profile kills for",
    "SIGABRT": "it gave up itself",
}


def brief(end: End) -> str:
    """`ended 0`, for a table."""
    if end.out_of_memory:
        return "out of memory"
    if end.why == "engine":
        return "engine died"
    if end.code is None:
        return "ended ?"
    return f"{'killed' if end.why == 'killed' else 'ended'} {end.code}"


def meaning(end: End, container: Container) -> str:
    """Empty for an end in peace."""
    name = container.name
    if end.why == "engine":
        return f"{name} was killed with its engine, or with what that looks after it: wherry explain engine-died"
    if end.code is None:
        return f"{name} has ended, and nobody saw how"
    if end.out_of_memory:
        return f"{name} was killed: it needed more than its memory limit, see --memory"
    if end.why == "killed":
        return f"{name} {_killed(end)}"
    if end.code == 0:
        return "" if end.why == "exited" else f"{name} stopped in peace"
    if end.why == "stopped" and end.code in (2, 128 + signal.Signals[end.by]):
        return f"{name} does not handle {end.by}: it ended where it stood, with status {end.code}"
    said = f"{name} ended with status {end.code}"
    if end.code > 128:
        word = _signal(end.code - 128)
        return f"{said}: killed by {word}" + (f", {SIGNALS[word]}" if word in SIGNALS else "")
    return f"{said}: {CODES[end.code]}" if end.code in CODES else said


def _killed(end: End) -> str:
    status = f"status {end.code}, SIGKILL" if end.code == 137 else f"status {end.code}"
    if end.by == signal.SIGKILL.name:
        return f"was killed, as asked: {status}"
    return f"did not stop within {end.grace:g} s of {end.by}, and was killed: {status}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
