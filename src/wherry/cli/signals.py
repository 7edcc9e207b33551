"""Signals that end a run as Ctrl-C does: in order, with its children. Touches this process's handlers."""

from __future__ import annotations

import _thread
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def hear() -> None:
    """SIGTERM and SIGHUP become KeyboardInterrupt; where they are ignored (nohup) they stay so."""
    sys.unraisablehook = _again
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _again(lost: UnraisableHookArgs) -> None:
    """An interrupt that came inside a callback of the interpreter's own, where no exception can leave, is sent once more."""
    if lost.exc_type is KeyboardInterrupt:
        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(lost)
