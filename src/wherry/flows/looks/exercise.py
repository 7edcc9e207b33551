"""The application left alone for a moment, then asked for a moment: what it uses, whom it leaves behind, what it could not write.
A Scene in, looks out; starts one container."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from wherry.flows.live import Live, live
from wherry.flows.looks.scene import Scene, route_of, until_healthy
from wherry.model.observation import Unseen
from wherry.model.trials import Exercise, Refused
from wherry.runtime.look import family, zombies

SETTLE: Final = 0.2
ALONE: Final = 1.0
ASKED: Final = 1.5
EVERY: Final = 0.05
CALLERS: Final = 2
COLLECTING: Final = 0.35
"""Seconds that a parent may take to collect a child."""
#: What Go, and most other programs, say of a write that was refused. "permission denied" alone may be about reading.
REFUSALS: Final = re.compile(
    r"read-only file system|\b(?:create|mkdir|rename|remove|unlink|chmod|chown|symlink|write)\s+\S+:\s+permission denied",
    re.IGNORECASE,
)
MOST_LINES: Final = 20


class Sampled:
    """The most of each number that was seen."""

    def __init__(self, one: Live) -> None:
        self.one = one
        self.memory: int | None = None
        self.pids: int | None = None
        self.processes, self.seen = 1, set[int]()

    def take(self) -> None:
        """Looks once."""
        now = self.one.usage()
        self.memory = max((one for one in (self.memory, now.needed) if one is not None), default=None)
        self.pids = max((one for one in (self.pids, now.pids) if one is not None), default=None)
        members = family(self.one.pid)
        self.processes = max(self.processes, len(members))
        self.seen.update(members)


def exercise(scene: Scene) -> dict[str, object]:
    """exercise, refused."""
    with live(scene.made, scene.machine) as one:
        healthy = until_healthy(scene, one, scene.expectations.start) is not None
        code = one.wait(SETTLE if healthy else 0.0)
        if not healthy or code is not None:
            why = f"it ended with status {code}" if code is not None else "it was never healthy"
            return {"exercise": Unseen(why=f"{why}, so it could not be asked for anything"), "refused": _log(one)}
        return {"exercise": _exercised(scene, one), "refused": _log(one)}


def _exercised(scene: Scene, one: Live) -> Exercise:
    sampled, began = Sampled(one), one.usage()
    start = time.monotonic()
    code = _for(ALONE, one, sampled)
    alone, rest = time.monotonic() - start, one.usage()
    idle = None
    if began.cpu_seconds is not None and rest.cpu_seconds is not None:
        idle = (rest.cpu_seconds - began.cpu_seconds) / alone
    asked = 0
    if code is None:
        code, asked = _ask(scene, one, sampled)
    first = zombies(one.pid) if code is None else ()
    left = tuple(sorted(set(first) & set(zombies(one.pid)))) if first and one.wait(COLLECTING) is None else ()
    last = one.usage()
    return Exercise(
        idle=alone,
        idle_cpu=idle,
        routes=routes_of(scene) if scene.port else (),
        asked=asked,
        seconds=time.monotonic() - start,
        ended=code,
        memory=sampled.memory,
        memory_limit=last.memory_limit,
        cpu_limit=last.cpu_limit,
        pids=max((one for one in (sampled.pids, last.pids_peak) if one is not None), default=None),
        pids_limit=last.pids_limit,
        refused_forks=last.refused_forks,
        oom_kills=last.oom_kills,
        processes=sampled.processes,
        children=len(sampled.seen - {one.pid}),
        zombies=left,
        log=one.log.lines(3),
    )


def routes_of(scene: Scene) -> tuple[str, ...]:
    """What it is asked for, each once."""
    health = route_of(scene.made.container.health)
    wanted = (health[1] if health else "", "/", scene.expectations.ready_route, scene.expectations.slow_route)
    return tuple(dict.fromkeys(route for route in wanted if route))


def _ask(scene: Scene, one: Live, sampled: Sampled) -> tuple[int | None, int]:
    """Two callers, one route after the other. Its exit code if it ended, and the number of GETs."""
    over = threading.Event()
    routes = routes_of(scene) if scene.port else ()

    def caller(first: int) -> int:
        number = 0
        for route in itertools.islice(itertools.cycle(routes), first, None):
            if over.is_set():
                break
            scene.get(one, route, seconds=ASKED)
            number += 1
            over.wait(0.01)
        return number

    with ThreadPoolExecutor(CALLERS) as pool:
        calls = [pool.submit(caller, first) for first in range(CALLERS)]
        code = _for(ASKED, one, sampled)
        over.set()
        return code, sum(call.result() for call in calls)


def _for(seconds: float, one: Live, sampled: Sampled) -> int | None:
    """Takes samples for so long; the exit code when it ended meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sampled.take()
        code = one.wait(min(EVERY, left))
        if code is not None:
            return code
    return None


def _log(one: Live) -> Refused:
    """What it said itself. A guess: a program may try to write and say nothing."""
    return Refused(logged=refusals(one.log.text()), source="its system calls were not recorded")


def refusals(text: str, clean: Callable[[str], str] = str.strip) -> tuple[str, ...]:
    """Lines about writes that were refused, each once."""
    lines = (clean(line)[:200] for line in text.splitlines() if REFUSALS.search(line))
    return tuple(dict.fromkeys(lines))[:MOST_LINES]
