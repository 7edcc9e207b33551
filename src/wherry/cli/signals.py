"""Signals that end a run as Ctrl-C does: in order, with its children. Touches this process's handlers."""

from __future__ import annotations

import signal


def hear() -> None:
    """SIGTERM and SIGHUP become KeyboardInterrupt; where they are ignored (nohup) they stay so."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
