"""Which signals are an interrupt, and which are only the echo of one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wherry.cli.signals import ECHO

INTERRUPTED = """
import os, signal, sys, time
from wherry.cli import signals

clock = time.monotonic()
time.monotonic = lambda: clock  # ours, since a busy machine lets more than a moment pass between two signals at once
{before}
signals.hear()
found = []
for number, pause in {given}:
    clock += pause
    try:
        os.kill(os.getpid(), getattr(signal, number))
        time.sleep(0.01)
    except KeyboardInterrupt:
        found.append(number)
print(*found)
"""


def interrupts(*given: tuple[str, float], before: str = "") -> list[str]:
    """Those that interrupted, in a process of their own."""
    script = INTERRUPTED.format(given=given, before=before)
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_is_an_interrupt(number: str) -> None:
    assert interrupts((number, 0)) == [number]


def test_what_comes_at_once_is_one() -> None:
    """As timeout(1) does it: to its child, then to the group of both."""
    assert interrupts(("SIGTERM", 0), ("SIGTERM", 0), ("SIGHUP", 0)) == ["SIGTERM"]
    assert interrupts(("SIGINT", 0), ("SIGINT", 1.4 * ECHO)) == ["SIGINT", "SIGINT"], "a second one is a second one"
    later = 0.6 * ECHO
    assert interrupts(("SIGINT", 0), ("SIGHUP", later), ("SIGTERM", later)) == ["SIGINT", "SIGTERM"], "an echo has none"


def test_what_is_ignored_stays_so() -> None:
    assert interrupts(("SIGHUP", 0), before="signal.signal(signal.SIGHUP, signal.SIG_IGN)") == []
