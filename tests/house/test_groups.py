"""Tests of one group run in one process, so that what they share is made once. Pairs of pytest and pytest-xdist exist in which
the marks are read and mean nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GROUPED = """\
import os
import time
from pathlib import Path

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_it(number):
    time.sleep(0.05)
    Path(__file__).with_name(f"seen-{os.getpid()}").touch()
"""


def test_a_group_stays_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    argv = [sys.executable, "-m", "pytest", "-q", "-n2", "--dist=loadgroup", "--rootdir=.", "test_grouped.py"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("seen-*"))) == 1
