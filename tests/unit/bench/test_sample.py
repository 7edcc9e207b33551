"""The stopwatch over real commands."""

import os
import sys
from pathlib import Path

import pytest

from bench.sample import Call, CallFailedError, daemon_cpu, measure, own_sample


def call(folder: Path, *argv: str, own_clock: bool = False) -> Call:
    return Call(argv=argv, directory=str(folder), environment=(("LANG", "C.UTF-8"),), own_clock=own_clock)


def test_wall_cpu_and_memory_of_a_command(tmp_path: Path) -> None:
    code = "import time; kept = bytearray(60 << 20); time.sleep(0.2)"
    sample = measure((call(tmp_path, sys.executable, "-c", code),), tmp_path / "log")
    assert 0.2 < sample.wall < 20
    assert 0 < sample.cpu < sample.wall
    assert 60 << 20 < sample.memory < 200 << 20


def test_cpu_of_grandchildren_counts(tmp_path: Path) -> None:
    burn = f"{sys.executable} -c 'for _ in range(4_000_000): pass'"
    sample = measure((call(tmp_path, "/bin/sh", "-c", f"{burn}; true"),), tmp_path / "log")
    assert sample.cpu > 0.03


def test_a_small_command_is_not_charged_with_our_memory(tmp_path: Path) -> None:
    kept = bytearray(80 << 20)
    sample = measure((call(tmp_path, "/bin/true"),), tmp_path / "log")
    assert sample.memory < len(kept) // 2


def test_several_commands_are_one_sample(tmp_path: Path) -> None:
    sample = measure((call(tmp_path, "/bin/sleep", "0.1"), call(tmp_path, "/bin/sleep", "0.1")), tmp_path / "log")
    assert sample.wall > 0.2


def test_the_environment_is_only_what_was_given(tmp_path: Path) -> None:
    measure((call(tmp_path, "/usr/bin/env"),), tmp_path / "log")
    assert (tmp_path / "log").read_text() == "LANG=C.UTF-8\n"


def test_a_failure_says_what_the_command_said(tmp_path: Path) -> None:
    with pytest.raises(CallFailedError, match="sh ended with 7: sorry"):
        measure((call(tmp_path, "/bin/sh", "-c", "echo sorry >&2; exit 7"),), tmp_path / "log")


def test_a_command_with_its_own_clock_is_believed(tmp_path: Path) -> None:
    said = '{"wall":0.5,"cpu":0.25,"memory":7}'
    sample = measure((call(tmp_path, "/bin/echo", f"noise\n{said}", own_clock=True),), tmp_path / "log")
    assert sample == own_sample(said)
    assert (sample.wall, sample.cpu, sample.memory) == (0.5, 0.25, 7)


def test_the_time_of_a_daemon_only_grows() -> None:
    before = daemon_cpu(os.getpid())
    assert sum(range(3_000_000))
    assert daemon_cpu(os.getpid()) >= before > 0
    assert daemon_cpu(0) == 0.0
