"""Limits, tried in copies of the container by a test program that has no other purpose: what the application would meet if it
were ill. A Scene in, looks out; starts containers."""

from __future__ import annotations

import time
from typing import Any, Final

from msgspec.structs import replace

from wherry.flows.looks.beside import beside, said
from wherry.flows.looks.scene import Scene
from wherry.model.observation import Unseen
from wherry.model.trials import CpuTrial, MemoryTrial, PidsTrial

MOST_MEMORY: Final = 512 << 20
"""A larger limit is tried as this: filling it would take memory from the machine."""
ENOUGH_PIDS: Final = 4096
CHILD: Final = 256 << 10
"""Bytes that the kernel needs for a process that does nothing; else the limit on memory would be met first."""
FEW_CPUS: Final = 0.1
"""A busy machine can give this much, too."""
STARTING: Final = 0.15
"""Seconds until all processors burn."""
BURNING: Final = 1.0


def memory(scene: Scene) -> dict[str, object]:
    """memory."""
    limits = scene.made.container.limits
    if not limits.memory:
        return {"memory": Unseen(why="it has no limit on memory")}
    limit = min(limits.memory, MOST_MEMORY)
    with beside(scene, "memory", str(2 * limit), limits=replace(limits, memory=limit)) as one:
        found = _part(said(one), "memory")
        kills = one.usage().oom_kills
    return {
        "memory": MemoryTrial(limit=limit, reached=int(found["reached"]), killed=bool(found["killed"]), oom_kills=kills)
    }


def cpu(scene: Scene) -> dict[str, object]:
    """cpu."""
    limits = scene.made.container.limits
    if not limits.cpus:
        return {"cpu": Unseen(why="it has no limit on processors")}
    seen = _burnt(scene, limits.cpus) if limits.cpus < scene.processors else None
    if isinstance(seen, CpuTrial) and not seen.throttled:
        seen = None  # others had what it would have needed to meet its limit
    return {"cpu": seen or _burnt(scene, min(FEW_CPUS, limits.cpus))}


def _burnt(scene: Scene, limit: float) -> CpuTrial | Unseen:
    """What a copy got under this limit that wanted every processor."""
    limits = scene.made.container.limits
    with beside(scene, "burn", limits=replace(limits, cpus=limit)) as one:
        if one.wait(STARTING) is not None:
            return Unseen(why=f"the test program ended: {' '.join(one.log.lines(1))}")
        began, before = time.monotonic(), one.usage()
        one.wait(BURNING)
        after, seconds = one.usage(), time.monotonic() - began
    if before.cpu_seconds is None or after.cpu_seconds is None:
        return Unseen(why="no control group counts its processor time here", host=True)
    waited = None if after.throttled is None or before.throttled is None else after.throttled - before.throttled
    used = (after.cpu_seconds - before.cpu_seconds) / seconds
    return CpuTrial(limit=limit, own=limit == limits.cpus, used=used, throttled=waited, seconds=seconds)


def pids(scene: Scene) -> dict[str, object]:
    """pids."""
    limits = scene.made.container.limits
    if not limits.pids:
        return {"pids": Unseen(why="it has no limit on processes")}
    limit = min(limits.pids, ENOUGH_PIDS)
    roomy = replace(limits, pids=limit, memory=max(limits.memory, limit * CHILD) if limits.memory else 0)
    with beside(scene, "pids", str(limit + 16), limits=roomy) as one:
        found = _part(said(one), "pids")
        now = one.usage()
    return {
        "pids": PidsTrial(
            limit=limit, had=int(found["had"]), error=str(found["error"]), peak=now.pids_peak, refused=now.refused_forks
        )
    }


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        return {}
    return part
