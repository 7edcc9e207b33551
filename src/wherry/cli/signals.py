"""Signals that end a run as Ctrl-C does: in order, with its children. Touches this process's handlers."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

#: Seconds; longer than such a callback takes.
LATER = 0.01


def hear() -> None:
    """SIGTERM and SIGHUP become KeyboardInterrupt; where they are ignored (nohup) they stay so."""
    sys.unraisablehook = _again
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def deaf() -> None:
    """Interrupts change nothing any more: for a run on its way out, which has words to say and unfinished files to take away."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def _again(lost: UnraisableHookArgs) -> None:
    """An interrupt that came inside a callback of the interpreter's own, where no exception can leave, is sent once more:
    a moment later, since it cannot leave this hook either."""
    if lost.exc_type is KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, LATER)
    else:
        sys.__unraisablehook__(lost)
