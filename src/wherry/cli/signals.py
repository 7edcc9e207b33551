"""Signals that end a run as Ctrl-C does: in order, with its children. Touches this process's handlers.

What it needs is imported when it is needed: `wherry --version` hears nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

#: Seconds; longer than such a callback takes.
LATER = 0.01
#: Seconds within which two signals are one: timeout(1), npm and others signal their child, then its whole group. No hand is so
#: fast, and a second interrupt kills where the first one asks.
ECHO = 0.05
_heard = [-ECHO]
#: Verbs that are asked for files or images.
WRITING = frozenset(
    {"build", "profile", "init", "generate", "push", "pull", "copy", "annotate", "rebase", "base", "registry", "cache"}
)


def last_words(arguments: list[str]) -> str:
    """What is said of an interrupt. What runs or shows something writes nothing, so nobody asks what is left of it."""
    return "interrupted; nothing half-written is left" if WRITING.intersection(arguments[:1]) else "interrupted"


def lose_none() -> None:
    """No interrupt is lost that comes inside a callback of the interpreter's own, such as the end of an import."""
    sys.unraisablehook = _again


def hear() -> None:
    """SIGTERM and SIGHUP become KeyboardInterrupt, as SIGINT is; where they are ignored (nohup) they stay so."""
    import signal

    lose_none()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """KeyboardInterrupt, once for what came at once."""
    import time

    now = time.monotonic()
    if now - _heard[0] >= ECHO:
        _heard[0] = now
        raise KeyboardInterrupt


def deaf() -> None:
    """Interrupts change nothing any more: for a run on its way out, which has words to say and unfinished files to take away."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def _again(lost: UnraisableHookArgs) -> None:
    """The interrupt is sent once more: a moment later, since no exception can leave the callback, nor this hook."""
    if lost.exc_type is KeyboardInterrupt:
        import signal

        signal.signal(signal.SIGALRM, _now)
        signal.setitimer(signal.ITIMER_REAL, LATER)
    else:
        sys.__unraisablehook__(lost)


def _now(_number: int, frame: FrameType | None) -> None:
    """Unless the machine was so busy that the hook has not ended yet."""
    while frame and frame.f_code is not _again.__code__:
        frame = frame.f_back
    if frame is None:
        raise KeyboardInterrupt
    import signal

    signal.setitimer(signal.ITIMER_REAL, LATER)
