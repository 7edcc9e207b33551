"""The application while it runs: how it came up, who it is, what its routes say, where it listens."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.errors import BuildError, WherryError
from wherry.flows.live import Live, live
from wherry.flows.looks.latched import ENDED, latched
from wherry.flows.looks.scene import Scene, can_check, route_of, until_healthy
from wherry.model.observation import Checked, Identity, Needless, Nothing, Routes, Sockets, Start, Unseen
from wherry.runtime.look import identity, sockets

SLACK = 2.0
"""How much longer than its budget is waited for a first port, as a factor: to tell slow from never."""
STAY = 1.5
"""Seconds from its start after which it must still be there: many programs end only when something they need is missing."""


def running(scene: Scene) -> dict[str, object]:
    """start, identity, routes, sockets. A program that cannot be started is a fault of the image, and so was seen."""
    try:
        return _running(scene)
    except WherryError as error:
        if not isinstance(error, BuildError) and error.name not in ("other-processor", "cpu-level"):
            raise
        gone = Unseen(why=f"it could not be started: {error.message}")
        log = tuple(filter(None, (error.why, *error.where)))
        start = Start(refused=error.message, log=log, next=error.next)
        return {"start": start, "identity": gone, "routes": gone, "sockets": gone}


def _running(scene: Scene) -> dict[str, object]:
    with live(scene.made, scene.machine) as one:
        who = _who(one)
        before = _ready(scene, one)
        start = _up(scene, one)
        if start.ended is not None:
            gone = _gone(scene, start.ended)
            who = latched(scene) if isinstance(who, Unseen) else who
            return {"start": start, "identity": who, "routes": gone, "sockets": gone}
        if scene.serves and not start.is_well:
            scene.unwell.set()
        routes = _routes(scene, one, before)
        code = one.wait(max(0.0, STAY - one.age))
        listening: Sockets | Unseen = Unseen(why="it ended before that") if code is not None else sockets(one.pid)
        if code is not None:
            start = _with_end(start, one, code)
        else:
            who = _who(one)
        return {"start": start, "identity": who, "routes": routes, "sockets": listening}


def _who(one: Live) -> Identity | Unseen:
    try:
        return identity(one.pid)
    except OSError:
        return Unseen(why=ENDED)


def _up(scene: Scene, one: Live) -> Start:
    """From its start to its first good answer, or to the end of patience."""
    budget, route = scene.expectations.start, route_of(scene.made.container.health)
    named = f"GET {route[1]}" if route else ""
    if scene.serves or not can_check(scene, one):
        one.until(lambda: bool(sockets(one.pid).listening), budget * SLACK if scene.serves else STAY)
    code = one.wait(0.0)
    listening = one.age if code is None and sockets(one.pid).listening else None
    asked = scene.command if can_check(scene, one) else ""
    start = Start(listening_after=listening, waited=one.age, route=named, command=asked)
    if code is not None:
        return _with_end(start, one, code)
    if can_check(scene, one):
        return _until_well(scene, one, start)
    if listening is None or route is None:
        return replace(start, log=one.log.lines())
    answer = until_healthy(scene, one, max(0.5, budget - one.age))
    code = one.wait(0.0)
    if answer is not None and code is None:
        return replace(start, healthy_after=one.age, waited=one.age, status=answer.status)
    if code is not None:
        return _with_end(start, one, code)
    status = scene.get(one, route[1], seconds=1.0).status
    return replace(start, waited=one.age, status=status, log=one.log.lines())


def _until_well(scene: Scene, one: Live, start: Start) -> Start:
    """By its health command."""
    well = until_healthy(scene, one, max(0.5, scene.expectations.start - one.age))
    code = one.wait(0.0)
    if code is not None:
        return _with_end(start, one, code)
    return replace(start, healthy_after=one.age if well else None, waited=one.age, log=() if well else one.log.lines())


def _gone(scene: Scene, code: int) -> Nothing:
    if scene.serves or code:
        return Unseen(why=f"it ended with status {code} before that")
    return Needless(why="it declares no port, and ran to its end")


def _with_end(start: Start, one: Live, code: int) -> Start:
    killed = bool(one.out_of_memory())
    return replace(start, waited=one.age, ended=code, out_of_memory=killed, log=one.log.lines())


def _ready(scene: Scene, one: Live) -> int:
    route = scene.expectations.ready_route
    return scene.get(one, route, seconds=0.5).status if route and scene.port else 0


def _routes(scene: Scene, one: Live, before: int) -> Routes:
    """Health and readiness now; what readiness says while stopping is seen by the look at stopping."""
    health = route_of(scene.made.container.health)
    ready = scene.expectations.ready_route
    return Routes(
        checked=_checked(scene, one),
        health=f"GET {health[1]}" if health else "",
        health_port=health[0] if health else 0,
        health_status=scene.get(one, health[1]).status if health else 0,
        ready=f"GET {ready}" if ready else "",
        ready_status=_until_ready(scene, one) if ready and scene.port else 0,
        ready_before=before,
    )


def _checked(scene: Scene, one: Live) -> Checked | Unseen | None:
    if not scene.command:
        return None
    probe = one.checked() if can_check(scene, one) else None
    if probe is None:
        return Unseen(why="in a chroot nothing can be run inside a container", host=True)
    return Checked(command=scene.command, well=probe.well, said=probe.said)


def _until_ready(scene: Scene, one: Live) -> int:
    """What readiness says, waited for within the budget of the start."""
    answers = [scene.get(one, scene.expectations.ready_route)]

    def ready() -> bool:
        answers.append(scene.get(one, scene.expectations.ready_route))
        return 200 <= answers[-1].status < 400

    if not 200 <= answers[0].status < 400:
        one.until(ready, scene.expectations.start - one.age)
    return answers[-1].status
