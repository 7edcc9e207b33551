"""Whom the kernel killed at a memory limit: what counts of its log's records, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.runtime.kernel_log import FIRST, KernelLog

KILLED = "3,120,5000,-;Memory cgroup out of memory: Killed process {0} (leaks) total-vm:1527124kB, anon-rss:261080kB\n"
OTHERS = (
    "6,121,5001,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/wherry-1,task=leaks,pid=8,uid=65532\n",
    "3,122,5002,-;Out of memory: Killed process 8 (leaks) total-vm:1527124kB\n",  # this machine's memory, and not a limit
    "12,123,5003,-;Memory cgroup out of memory: Killed process 8 (leaks) said by a program\n",
    "6,124,5004,-;leaks: 6,1,1,-;Memory cgroup out of memory: Killed process 8 (leaks)\n",
    " SUBSYSTEM=3,1,1,-;Memory cgroup out of memory: Killed process 8 (leaks)\n",
)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "pid"
    path.symlink_to(FIRST)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kmsg"
    path.write_text(KILLED.format(7))
    return path


def test_what_was_killed_since_it_was_opened(file: Path, space: Path) -> None:
    log = KernelLog(file, space)
    assert log.killed() == frozenset()
    with file.open("a") as more:
        more.writelines((KILLED.format(41), *OTHERS, KILLED.format(42)))
    assert log.killed() == {41, 42}
    log.close()
    assert not log.readable
    assert log.killed() == {41, 42}, "what was said stays said"


def test_who_ended_before_anybody_knew_its_number(file: Path, space: Path, tmp_path: Path) -> None:
    log = KernelLog(file, space)
    assert (log.says(41), log.says(0)) == (False, False), "nobody was killed"
    with file.open("a") as more:
        more.write(KILLED.format(41))
    assert (log.says(41), log.says(42), log.says(0)) == (True, False, None)
    assert KernelLog(tmp_path / "missing", space).says(41) is None


@pytest.mark.parametrize("target", ["pid:[4026532500]", ""])
def test_in_a_container_processes_have_other_numbers(target: str, file: Path, tmp_path: Path) -> None:
    space = tmp_path / "other"
    if target:
        space.symlink_to(target)
    log = KernelLog(file, space)
    assert (log.readable, log.killed()) == (False, frozenset())


def test_where_it_may_not_be_read(space: Path, tmp_path: Path) -> None:
    log = KernelLog(tmp_path / "missing", space)
    assert (log.readable, log.killed()) == (False, frozenset())
