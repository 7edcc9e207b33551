"""H06: an interrupt while wherry itself is still being imported. It is told in one word, whatever Python was doing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from tests.support.cli import Done, variables
from wherry.cli.fast import INTERRUPTED

MOMENTS = 40
FIRST = 12  # the very first is the call of `leave` itself, which nothing is around
WORDS = ("plan", "--help")
#: SIGINT at the Nth call of a Python function since wherry began, or at the first one of a name.
STRUCK = """
import os, signal, sys

moment, calls = sys.argv.pop(), 0

def strike(frame, event, _):
    global calls
    if event == "call":
        calls += 1
        if moment in (str(calls), frame.f_code.co_name):
            sys.setprofile(None)
            os.kill(os.getpid(), signal.SIGINT)

from wherry.cli import fast
ends = os._exit
os._exit = lambda code: (sys.setprofile(None), print(calls, flush=True), ends(code))
sys.setprofile(strike)
fast.leave()
"""


def struck(moment: str, tmp_path: Path) -> Done:
    done = subprocess.run(
        [sys.executable, "-P", "-c", STRUCK, *WORDS, moment], env=variables(tmp_path), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def test_h06_an_interrupt_at_any_call(tmp_path: Path) -> None:
    whole = struck("never", tmp_path)
    calls = int(whole.stdout.splitlines()[-1])
    assert (whole.code, calls > 1000) == (0, True)
    moments = {*range(2, FIRST), *random.Random(6).sample(range(FIRST, calls - 100), MOMENTS)}
    for moment in sorted(moments):
        done = struck(str(moment), tmp_path)
        assert (done.code, done.stderr.strip()) == (INTERRUPTED, "interrupted"), (moment, done.stderr)


def test_h06_an_interrupt_at_the_end_of_an_import(tmp_path: Path) -> None:
    """There the interpreter itself calls `cb`, which no exception leaves."""
    done = struck("cb", tmp_path)
    assert (done.code, done.stderr.strip()) == (INTERRUPTED, "interrupted")
