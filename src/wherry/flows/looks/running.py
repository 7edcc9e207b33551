"""The application while it runs: how it came up, who it is, what its routes say, where it listens."""

from __future__ import annotations

import time

from wherry.flows.live import Live, live
from wherry.flows.looks.scene import Scene, route_of, until_healthy
from wherry.model.observation import Answer, Routes, Start, Unseen
from wherry.runtime.look import identity, sockets

SLACK = 2.0
"""How much longer than its budget is waited for a start, as a factor: to tell slow from never."""
SETTLE = 0.3
"""Seconds for ports that open after the first answer."""


def running(scene: Scene) -> dict[str, object]:
    """start, identity, routes, sockets."""
    with live(scene.made, scene.machine) as one:
        who = identity(one.pid)
        before = _ready(scene, one)
        start = _start(scene, one, until_healthy(scene, one, scene.expectations.start * SLACK))
        if start.ended is not None:
            gone = Unseen(why=f"it ended with status {start.ended} before that")
            return {"start": start, "identity": who, "routes": gone, "sockets": gone}
        if start.healthy_after is not None:
            time.sleep(SETTLE)
        return {
            "start": start,
            "identity": identity(one.pid),
            "routes": _routes(scene, one, before),
            "sockets": sockets(one.pid),
        }


def _start(scene: Scene, one: Live, answer: Answer | None) -> Start:
    now = time.monotonic() - one.began
    route = route_of(scene.made.container.health)
    named = f"GET {route[1]}" if route else ""
    if answer is not None:
        return Start(healthy_after=now, waited=now, route=named, status=answer.status)
    code = one.wait(0.0)
    last = 0 if code is not None or not route else scene.get(one, route[1], seconds=1.0).status
    killed = bool(one.usage().oom_kills)
    return Start(waited=now, route=named, status=last, ended=code, out_of_memory=killed, log=one.log.lines())


def _ready(scene: Scene, one: Live) -> int:
    route = scene.expectations.ready_route
    return scene.get(one, route, seconds=0.5).status if route and scene.port else 0


def _routes(scene: Scene, one: Live, before: int) -> Routes:
    """Health and readiness now; what readiness says while stopping is seen by the look at stopping."""
    health = route_of(scene.made.container.health)
    ready = scene.expectations.ready_route
    return Routes(
        health=f"GET {health[1]}" if health else "",
        health_status=scene.get(one, health[1]).status if health else 0,
        ready=f"GET {ready}" if ready else "",
        ready_status=scene.get(one, ready).status if ready and scene.port else 0,
        ready_before=before,
    )
