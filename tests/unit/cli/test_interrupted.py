"""What is said of an interrupt, and of a list that is empty."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.unit.cli.test_output import sink
from wherry.cli.commands import VERBS
from wherry.cli.main import INTERRUPTED, _interrupted
from wherry.cli.runbook import show_listing
from wherry.cli.signals import WRITING


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["build"], "interrupted; nothing half-written is left"),
        (["exec", "-it", "a", "b"], "interrupted"),
        ([], "interrupted"),
    ],
)
def test_only_what_writes_speaks_of_what_is_left(words: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "wherry.cli.main.deaf", lambda: None
    )  # this process, and those that other tests start, must hear
    output, _, err = sink()
    assert _interrupted(output, words) == INTERRUPTED
    assert err.getvalue().split("\n")[-2] == said
    assert set(VERBS) > WRITING


@pytest.mark.parametrize("everything", [False, True])
def test_an_empty_list_names_no_command_that_was_just_typed(everything: bool) -> None:
    output, _, err = sink()
    show_listing((), 0.0, output, everything=everything)
    assert ("--all" in err.getvalue()) is not everything


#: An interrupt, and another one when that is told, or when the last words go out.
TWICE = """
import os, signal, sys
from wherry.cli import fast, output, streams, verbs

moment = sys.argv.pop()
flushed = streams.flushed

def again(*_):
    os.kill(os.getpid(), signal.SIGINT)
    return flushed(sys.stdout)

def build(*_, **__):
    if moment != "done":
        raise KeyboardInterrupt

verbs.cli.main = build
if moment == "told":
    output.Output.progress = again
else:
    streams.flushed = again
fast.leave()
"""


@pytest.mark.parametrize(("moment", "code"), [("told", INTERRUPTED), ("flushed", INTERRUPTED), ("done", 0)])
def test_another_interrupt_on_the_way_out_changes_nothing(moment: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWICE, "doctor", moment], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, "interrupted\n" if code else "")


#: An interrupt before the program is imported.
EARLY = """
import sys
from wherry.cli import fast

def main():
    raise KeyboardInterrupt

fast.main = main
fast.leave()
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [(["push", "a"], "interrupted; nothing half-written is left"), (["run", "a"], "interrupted"), ([], "interrupted")],
)
def test_the_short_way_has_the_same_last_words(words: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (INTERRUPTED, f"\n{said}\n")
