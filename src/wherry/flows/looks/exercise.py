"""The application left alone for a moment, then asked for a moment: what it uses, whom it leaves behind, what it could not write.
A Scene in, looks out; starts one container."""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from wherry.flows.live import Live, live
from wherry.flows.looks.scene import Scene, routes_of, until_well
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.model.observation import Needless, Unseen
from wherry.model.trials import Exercise
from wherry.runtime.look import family, zombies

SETTLE: Final = 0.2
ALONE: Final = 1.0
ASKED: Final = 1.5
LONGEST: Final = 4.0
"""Seconds that are given to a busy machine for ENOUGH answers."""
ENOUGH: Final = 200
EVERY: Final = 0.02
FAMILY: Final = 5
"""Looks at the group for one at all processes of this machine."""
CALLERS: Final = 3
COLLECTING: Final = 2.0
"""Seconds that a parent may take to collect a child on a busy machine."""
#: What Go, and most other programs, say of a write that was refused. "permission denied" alone may be about reading.
REFUSALS: Final = re.compile(
    r"read-only file system|\b(?:create|mkdir|rename|remove|unlink|chmod|chown|symlink|write)\s+\S+:\s+permission denied",
    re.IGNORECASE,
)
MOST_LINES: Final = 20
SWITCHES: Final = re.compile(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", re.MULTILINE)


class Sampled:
    """The most of each number that was seen."""

    def __init__(self, one: Live) -> None:
        self.one = one
        self.memory: int | None = None
        self.pids: int | None = None
        self.processes, self.seen = 1, set[int]()
        self.asked = self.looks = 0

    def take(self) -> None:
        """Looks once."""
        now = self.one.usage()
        self.memory = max((one for one in (self.memory, now.needed) if one is not None), default=None)
        self.pids = max((one for one in (self.pids, now.pids) if one is not None), default=None)
        if self.looks % FAMILY == 0:
            members = family(self.one.pid)
            self.processes = max(self.processes, len(members))
            self.seen.update(members)
        self.looks += 1


def exercise(scene: Scene) -> dict[str, object]:
    """exercise."""
    with live(scene.made, scene.machine) as one:
        healthy = not scene.serves or until_well(scene, one, scene.expectations.start) is not None
        code = one.wait(SETTLE if healthy else 0.0)
        if code == 0 and not scene.serves:
            return {"exercise": Needless(why="it ran to its end, and serves nothing")}
        if not healthy or code is not None:
            why = f"it ended with status {code}" if code is not None else "it was never healthy"
            return {"exercise": Unseen(why=f"{why}, so it could not be asked for anything")}
        return {"exercise": _exercised(scene, one)}


def _exercised(scene: Scene, one: Live) -> Exercise:
    sampled, began, queued = Sampled(one), one.usage(), waits(one.pid)
    start = time.monotonic()
    code = _for(ALONE, one, sampled)
    alone, rest, still = time.monotonic() - start, one.usage(), waits(one.pid)
    idle = None
    if began.cpu_seconds is not None and rest.cpu_seconds is not None:
        idle = (rest.cpu_seconds - began.cpu_seconds) / alone
    if code is None:
        code = _ask(scene, one, sampled)
    left = left_behind(one) if code is None else ()
    last = one.usage() if code is None else rest  # some engines take the group away at once
    return Exercise(
        idle=alone,
        idle_cpu=idle,
        idle_wait=sum(now.wanted(queued.get(task, Waited())) for task, now in still.items()) / alone,
        routes=routes_of(scene) if scene.port else (),
        asked=sampled.asked,
        seconds=time.monotonic() - start,
        ended=code,
        memory=sampled.memory,
        memory_limit=last.memory_limit,
        cpu_limit=last.cpu_limit,
        pids=max((one for one in (sampled.pids, last.pids_peak) if one is not None), default=None),
        pids_limit=last.pids_limit,
        refused_forks=last.refused_forks,
        oom_kills=one.usage().oom_kills,
        out_of_memory=code is not None and bool(one.out_of_memory()),
        processes=sampled.processes,
        children=len(sampled.seen - {one.pid}),
        zombies=left,
        refusals=refusals(one.log.text()),
        log=one.log.lines(3),
    )


def left_behind(one: Live) -> tuple[int, ...]:
    """Ended processes that nobody collects."""
    left = set(zombies(one.pid))

    def are_collected() -> bool:
        left.intersection_update(zombies(one.pid))
        return not left

    stay = left and not one.until(are_collected, COLLECTING) and one.wait(0.0) is None
    return tuple(sorted(left)) if stay else ()


def _ask(scene: Scene, one: Live, sampled: Sampled) -> int | None:
    """Several callers, one route after the other, and one for the slow route. Its exit code if it ended."""
    slow = scene.expectations.slow_route
    quick = tuple(route for route in routes_of(scene) if route != slow)
    if not scene.port:
        return _for(ASKED, one, sampled)
    over = threading.Event()

    def caller(routes: Iterator[str]) -> None:
        while not over.wait(0.005):
            scene.get(one, next(routes), seconds=ASKED)
            sampled.asked += 1

    with ThreadPoolExecutor(CALLERS + 1) as pool:
        calls = [pool.submit(caller, itertools.cycle(quick)) for _ in range(CALLERS)]
        calls += [pool.submit(caller, itertools.repeat(slow))] if slow else []
        code = _for(ASKED, one, sampled)
        end = time.monotonic() + LONGEST - ASKED
        while code is None and sampled.asked < ENOUGH and time.monotonic() < end:
            code = _for(EVERY, one, sampled)
        over.set()
        for call in calls:
            call.result()
    return code


def _for(seconds: float, one: Live, sampled: Sampled) -> int | None:
    """Takes samples for so long; the exit code when it ended meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sampled.take()
        code = one.wait(min(EVERY, left))
        if code is not None:
            return code
    return None


class Waited(Value, frozen=True, kw_only=True):
    """What the kernel has counted of one thread."""

    seconds: float = 0.0
    """For which it wanted a processor and had none."""
    gave: int = 0
    """Times that it gave its processor back, to sleep."""
    lost: int = 0
    """Times that it had to leave it to others."""

    def wanted(self, before: Waited) -> float:
        """Seconds that it would have used since then. A thread that sleeps again after a moment's work wants no more than it
        got, however long it stood in line for it."""
        gave, lost = self.gave - before.gave, self.lost - before.lost
        return self.seconds - before.seconds if lost > gave or not gave else 0.0


def waits(pid: int) -> dict[str, Waited]:
    """By thread (/proc/PID/schedstat, documentation of the kernel's sched-stats; proc_pid_status(5)); empty where the kernel does
    not count."""
    found = {}
    for folder in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            gave, lost = (int(text) for text in SWITCHES.findall((folder / "status").read_text()))
            seconds = int((folder / "schedstat").read_text().split()[1]) / 1e9
            found[folder.name] = Waited(seconds=seconds, gave=gave, lost=lost)
    return found


def refusals(text: str) -> tuple[str, ...]:
    """Lines about writes that were refused, each once, made harmless."""
    lines = (one_line(line)[:200] for line in text.splitlines() if REFUSALS.search(line))
    return tuple(dict.fromkeys(lines))[:MOST_LINES]
