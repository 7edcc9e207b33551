"""Limits, writes and strangers: from what was tried to verdicts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.judge.limits import cpu, memory, pids, reap
from wherry.judge.rootfs import rootfs
from wherry.judge.strangers import arm64, random_uid
from wherry.model.container import Limits, Tmpfs, User
from wherry.model.observation import Expectations, Needless, Observed, Start, Unseen
from wherry.model.trials import (
    CpuTrial,
    Emulated,
    Exercise,
    Links,
    MemoryTrial,
    Mount,
    PidsTrial,
    Refused,
    Stranger,
    Writes,
)
from wherry.model.verdict import Verdict

Judge = Callable[[Observed, Expectations], Verdict]
WANTED = Expectations()
MIB = 1 << 20
LIMITED = replace(CONTAINER, limits=Limits(memory=256 * MIB, cpus=2.0, pids=256))
EXERCISE = Exercise(
    idle=1.0,
    idle_cpu=0.001,
    routes=("/healthz", "/"),
    asked=400,
    seconds=2.5,
    memory=4 * MIB,
    memory_limit=256 * MIB,
    cpu_limit=2.0,
    pids=7,
    pids_limit=256,
    refused_forks=0,
    oom_kills=0,
)
MEMORY = MemoryTrial(limit=256 * MIB, reached=253 * MIB, killed=True, oom_kills=1)
CPU = CpuTrial(limit=0.5, used=0.5, throttled=10, seconds=1.0)
PIDS = PidsTrial(limit=256, had=245, error="resource temporarily unavailable", peak=256, refused=1)
ROOT = Mount(path="/", kind="ext4", options=("ro", "relatime"))
WRITES = Writes(tried=1290, refused=(("read-only file system", 1290),), writable=("/tmp",), mounts=(ROOT,))
GOOD = {"exercise": EXERCISE, "memory": MEMORY, "cpu": CPU, "pids": PIDS, "writes": WRITES, "refused": Refused()}


def verdict(judge: Judge, **looks: object) -> tuple[str, str]:
    given = judge(observed(LIMITED, **(GOOD | looks)), WANTED)
    return given.outcome, given.summary


def exercise(**changes: object) -> dict[str, object]:
    return {"exercise": replace(EXERCISE, **changes)}


#: Judge, what is otherwise than in the good one, outcome, words of the summary.
ROWS: tuple[tuple[Judge, dict[str, object], str, str], ...] = (
    (memory, {}, "PASS", "it needed up to 4.0 MiB of 256 MiB; a copy was killed at 256 MiB"),
    (memory, exercise(oom_kills=1, ended=137), "FAIL", "its memory limit killed it"),
    (memory, exercise(oom_kills=None, ended=137, out_of_memory=True), "FAIL", "its memory limit killed it"),
    (memory, exercise(memory=231 * MIB), "FAIL", "it needed up to 231 MiB of 256 MiB; the budget is 230 MiB"),
    (memory, exercise(memory=230 * MIB), "PASS", "230 MiB"),
    (memory, exercise(memory=None), "UNKNOWN", "no control group tells"),
    (memory, exercise(memory_limit=128 * MIB), "FAIL", "another limit"),
    (memory, exercise(memory_limit=None), "UNKNOWN", "which limit it keeps"),
    (memory, exercise(ended=2), "UNKNOWN", "ended with status 2"),
    (
        memory,
        {"memory": replace(MEMORY, killed=False, reached=512 * MIB)},
        "FAIL",
        "had 512 MiB under a limit of 256 MiB",
    ),
    (memory, {"memory": replace(MEMORY, reached=300 * MIB)}, "FAIL", "had 300 MiB"),
    (memory, {"memory": replace(MEMORY, oom_kills=None)}, "UNKNOWN", "counts what the kernel killed"),
    (memory, {"memory": replace(MEMORY, oom_kills=0)}, "UNKNOWN", "did not count"),
    (memory, {"memory": Unseen(why="no Go here")}, "UNKNOWN", "no Go here"),
    (memory, {"memory": Unseen(why="no Go here"), **exercise(oom_kills=3)}, "FAIL", "killed it"),
    (memory, {"exercise": Unseen(why="never healthy")}, "UNKNOWN", "never healthy"),
    (
        memory,
        {"exercise": Unseen(why="never healthy"), "memory": replace(MEMORY, killed=False, reached=512 * MIB)},
        "FAIL",
        "had 512 MiB",
    ),
    (memory, {"exercise": Needless(why="serves nothing")}, "SKIP", "serves nothing"),
    (cpu, {}, "PASS", "idle it takes 0.00 processors; a copy that wanted all got 0.50 of 0.5"),
    (cpu, {"cpu": replace(CPU, own=False)}, "PASS", "a smaller limit"),
    (cpu, {"cpu": replace(CPU, used=0.61)}, "FAIL", "got 0.61 of 0.5"),
    (cpu, {"cpu": replace(CPU, used=0.57)}, "PASS", "got 0.57"),
    (cpu, {"cpu": replace(CPU, throttled=0)}, "UNKNOWN", "too busy"),
    (cpu, {"cpu": replace(CPU, throttled=None)}, "UNKNOWN", "too busy"),
    (cpu, exercise(idle_cpu=2.0), "FAIL", "idle it takes 2.00 processors"),
    (cpu, exercise(idle_cpu=0.15, idle_wait=1.8), "FAIL", "and wants 1.95; the budget is 0.2"),
    (cpu, exercise(idle_cpu=0.05, idle_wait=0.3), "UNKNOWN", "and wants 0.35"),
    (cpu, exercise(idle_cpu=None), "UNKNOWN", "no control group counts"),
    (cpu, exercise(cpu_limit=1.0), "FAIL", "another limit"),
    (pids, {}, "PASS", "it had up to 7 of 256 processes and threads; a copy was refused after 245 children"),
    (pids, exercise(refused_forks=12), "FAIL", "refused 12 times at 256"),
    (pids, exercise(refused_forks=None, pids=256), "FAIL", "256 of 256"),
    (pids, exercise(refused_forks=None, pids=None), "UNKNOWN", "no control group counts"),
    (pids, {"pids": replace(PIDS, error="", had=272)}, "FAIL", "272 children under a limit of 256"),
    (pids, {"pids": replace(PIDS, had=256)}, "FAIL", "256 children under a limit of 256"),
    (pids, {"pids": replace(PIDS, refused=0)}, "UNKNOWN", "not by its limit"),
    (pids, {"pids": replace(PIDS, refused=None)}, "PASS", "after 245 children"),
    (rootfs, {}, "PASS", "read-only; 1290 writes tried, all refused but to /tmp"),
    (rootfs, {"writes": replace(WRITES, mounts=(replace(ROOT, options=("rw",)),))}, "FAIL", "may be written to"),
    (rootfs, {"writes": replace(WRITES, mounts=())}, "UNKNOWN", "not among its mounts"),
    (rootfs, {"writes": replace(WRITES, made=("/dev/shm",))}, "FAIL", "files can be made in /dev/shm"),
    (rootfs, {"writes": replace(WRITES, opened=("/etc/x",))}, "FAIL", "may be written to: /etc/x"),
    (rootfs, {"writes": replace(WRITES, changed=("/app",))}, "FAIL", "changes its mode: /app"),
    (rootfs, {"writes": replace(WRITES, made=tuple(f"/{n}" for n in range(7)))}, "FAIL", "/4 and 2 more"),
    (rootfs, {"writes": replace(WRITES, unwilling=("/data",))}, "FAIL", "cannot write to /data, which is declared"),
    (rootfs, {"writes": replace(WRITES, cut=True)}, "UNKNOWN", "only 1290 writes"),
    (rootfs, {"refused": Refused(paths=("/data.txt",))}, "FAIL", "it wants to write /data.txt, and may not"),
    (
        rootfs,
        {"refused": Unseen(why="docker"), **exercise(refusals=("open /x: read-only file system",))},
        "FAIL",
        "its log",
    ),
    (rootfs, exercise(refusals=("open /x: read-only file system",)), "PASS", "read-only"),
    (rootfs, {"writes": Unseen(why="no Go here")}, "UNKNOWN", "no Go here"),
)


@pytest.mark.parametrize(("judge", "looks", "outcome", "words"), ROWS)
def test_a_verdict(judge: Judge, looks: dict[str, object], outcome: str, words: str) -> None:
    given = verdict(judge, **looks)
    assert (given[0], words in given[1]) == (outcome, True), given


def test_a_line_of_a_log_is_a_conclusion_and_a_recorded_call_is_not() -> None:
    lines = ("open /x: read-only file system",)
    said = rootfs(observed(LIMITED, writes=WRITES, **exercise(refusals=lines)), WANTED)
    assert (said.seen, said.concluded) == (lines, ("it loses what it wanted to write",))
    seen = rootfs(observed(LIMITED, writes=WRITES, refused=Refused(paths=("/var/lib/app/x",))), WANTED)
    assert (seen.seen, seen.concluded) == (("/var/lib/app/x",), ())
    assert seen.next == ('[image] writable = ["/var/lib/app"] declares it',)


def test_what_belongs_to_another_user_need_not_be_writable() -> None:
    seen = replace(WRITES, unwilling=("/home/nonroot",))
    home = Tmpfs(path="/home/nonroot", uid=65532, gid=65532, mode=0o750)
    own, other = replace(LIMITED, tmpfs=(home,)), replace(LIMITED, tmpfs=(home,), user=User(uid=1000, gid=1000))
    assert rootfs(observed(own, writes=seen), WANTED).outcome == "FAIL"
    assert rootfs(observed(other, writes=seen), WANTED).outcome == "PASS"


def test_root_may_write_to_its_devices() -> None:
    seen = replace(WRITES, made=("/dev",), changed=("/dev",))
    assert rootfs(observed(LIMITED, writes=seen), WANTED).outcome == "FAIL"
    root = replace(LIMITED, user=User(uid=0, gid=0))
    assert rootfs(observed(root, writes=seen), WANTED).outcome == "PASS"
    assert rootfs(observed(root, writes=replace(seen, made=("/dev", "/dev/shm"))), WANTED).outcome == "FAIL"


@pytest.mark.parametrize("judge", [memory, cpu, pids])
def test_without_a_limit(judge: Judge) -> None:
    none = replace(CONTAINER, limits=Limits())
    assert judge(observed(none, **GOOD), WANTED).summary == "there is no limit"
    assert judge(observed(none, **GOOD), WANTED).outcome == "FAIL"
    assert judge(observed(replace(none, group=None), **GOOD), WANTED).outcome == "UNKNOWN"


CHILDREN = Links(children="os.StartProcess")
REAPED: tuple[tuple[Exercise, Links | None, str, str], ...] = (
    (EXERCISE, Links(), "SKIP", "its program cannot"),
    (EXERCISE, CHILDREN, "UNKNOWN", "started none"),
    (EXERCISE, None, "UNKNOWN", "started none"),
    (replace(EXERCISE, children=3), CHILDREN, "PASS", "3 processes came and went"),
    (replace(EXERCISE, children=3, zombies=(7, 9)), CHILDREN, "FAIL", "2 ended processes were left behind"),
    (replace(EXERCISE, ended=1), CHILDREN, "UNKNOWN", "ended with status 1"),
)


@pytest.mark.parametrize(("seen", "links", "outcome", "words"), REAPED)
def test_children(seen: Exercise, links: Links | None, outcome: str, words: str) -> None:
    given = reap(observed(exercise=seen, links=links or Unseen(why="no Go program")), WANTED)
    assert (given.outcome, words in given.summary) == (outcome, True), given


UP = Start(listening_after=0.1, healthy_after=0.1, route="GET /healthz", waited=0.1)
DOWN = Start(waited=0.1, ended=1)
ILL = Start(listening_after=0.1, command="/app/x health", waited=10.0)
STRANGER = Stranger(uid=12345, healthy_after=0.02, waited=0.02)
EMULATED = Emulated(platform="linux/arm64", emulator="qemu", healthy_after=0.2, waited=0.2, answer="GET /healthz 200")
STRANGE: tuple[tuple[Judge, dict[str, object], str, str], ...] = (
    (random_uid, {"stranger": STRANGER}, "PASS", "healthy as 12345:0 after 20 ms"),
    (random_uid, {"stranger": replace(STRANGER, ended=0)}, "PASS", "ran to its end as 12345:0"),
    (
        random_uid,
        {"stranger": replace(STRANGER, healthy_after=None, ended=1)},
        "FAIL",
        "as 12345:0 it ends with status 1",
    ),
    (random_uid, {"stranger": replace(STRANGER, healthy_after=None)}, "FAIL", "never healthy"),
    (
        random_uid,
        {"stranger": replace(STRANGER, healthy_after=None), "start": DOWN},
        "UNKNOWN",
        "as its own user it is not well, either",
    ),
    (
        random_uid,
        {"stranger": replace(STRANGER, healthy_after=None), "start": ILL},
        "UNKNOWN",
        "it is not well, either",
    ),
    (random_uid, {"stranger": Unseen(why="one id alone")}, "UNKNOWN", "one id alone"),
    (arm64, {"emulated": EMULATED}, "PASS", "healthy under qemu after 200 ms, GET /healthz 200"),
    (
        arm64,
        {"emulated": replace(EMULATED, healthy_after=None, ended=127)},
        "FAIL",
        "under qemu it ends with status 127",
    ),
    (arm64, {"emulated": replace(EMULATED, healthy_after=None), "start": DOWN}, "UNKNOWN", "this machine's processor"),
    (arm64, {"emulated": Needless(why="it is for linux/amd64 alone")}, "SKIP", "linux/amd64 alone"),
    (arm64, {"emulated": Unseen(why="qemu-user-static is not installed here")}, "UNKNOWN", "not installed"),
)


@pytest.mark.parametrize(("judge", "looks", "outcome", "words"), STRANGE)
def test_strangers(judge: Judge, looks: dict[str, object], outcome: str, words: str) -> None:
    given = judge(observed(LIMITED, **({"start": UP} | looks)), WANTED)
    assert (given.outcome, words in given.summary) == (outcome, True), given
