"""The application while it stops: requests under way, new ones, its end. Several containers, since once is no proof."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from msgspec.structs import replace

from wherry.flows.live import Live, live
from wherry.flows.looks.scene import Scene, until_well
from wherry.kit.ports import Answer
from wherry.model.observation import Drain, DrainTry, Needless, Unseen
from wherry.runtime.look import accepted, until_it_hears

HEAD_START = 0.25
"""Seconds between its good health and the signal: by then the program listens for signals, though it may have begun to serve
before."""
ARRIVING = 10.0
"""Seconds that a busy machine may take until all requests are under way."""
EVERY = 0.15
"""Seconds between two new requests after the signal."""
RELUCTANT = 0.5
"""Seconds after the signal until readiness must say no."""
AGAIN = 0.05
MOST = 64
"""New requests at a time."""
PATIENCE = 30.0
WORK = 0.5
"""Seconds that what serves nothing works before it is stopped."""


def stopping(scene: Scene) -> dict[str, object]:
    """drain."""
    container = scene.made.container
    with ThreadPoolExecutor(scene.expectations.tries if scene.together else 1) as pool:
        tries = tuple(pool.map(lambda _: _try(scene), range(scene.expectations.tries)))
    seen = tuple(one for one in tries if one is not None)
    if not seen and not scene.serves:
        return {"drain": Needless(why="it declares no port, and ran to its end")}
    if not seen:
        return {"drain": Unseen(why="it did not become healthy, so nothing could be asked of it")}
    route = f"GET {scene.expectations.slow_route}" if scene.expectations.slow_route else ""
    return {"drain": Drain(signal=container.stop_signal, grace=container.grace, route=route, tries=seen)}


def _try(scene: Scene) -> DrainTry | None:
    """One container from its start to its end."""
    with live(scene.made, scene.machine) as one:
        if not _is_up(scene, one):
            return None
        slow = scene.expectations.slow_route
        number = scene.expectations.requests if slow and scene.port else 0
        with ThreadPoolExecutor(number + 2) as pool:
            under_way = [pool.submit(scene.get, one, slow, seconds=PATIENCE) for _ in range(number)]
            if scene.serves:
                time.sleep(HEAD_START)
            one.until(lambda: number <= _arrived(one.pid, scene.port, under_way), ARRIVING)
            return _stopped(scene, one, pool, under_way)


def _is_up(scene: Scene, one: Live) -> bool:
    if scene.serves:
        return until_well(scene, one, scene.expectations.start) is not None
    return one.wait(WORK) is None


def _arrived(pid: int, port: int, under_way: list[Future[Answer]]) -> int:
    """How many of the requests have come to the program, or are over: one that comes after the signal is a new one."""
    return accepted(pid, port) + sum(request.done() for request in under_way)


def _stopped(scene: Scene, one: Live, pool: ThreadPoolExecutor, under_way: list[Future[Answer]]) -> DrainTry:
    until_it_hears(one.pid, int(signal.Signals[one.container.stop_signal]))
    early = sum(request.done() for request in under_way)
    signalled = time.monotonic()
    one.signal(one.container.stop_signal)
    ended = threading.Event()
    late = pool.submit(_late, scene, one, ended) if under_way else None
    alive, over = one.watched(one.container.grace)
    ended.set()
    code = one.wait(0.0)
    if code is None:
        one.signal("SIGKILL")
        one.wait(5.0)
    answers = tuple(_since(request.result(), signalled) for request in under_way)
    hasty = bool(answers) and early == len(answers)
    refused, ready = late.result() if late else ((), None)
    return DrainTry(
        answers=() if hasty else answers,
        hasty=answers[0] if hasty else None,
        late=tuple(_since(answer, signalled) for answer in refused),
        exit_code=code,
        seconds=over - signalled,
        alive=alive - signalled,
        ready=ready,
    )


def _late(scene: Scene, one: Live, ended: threading.Event) -> tuple[tuple[Answer, ...], int | None]:
    """What the readiness route says after the signal, and slow requests begun one after another until one is refused: whoever is
    let in must be answered, too."""
    status = _readiness(scene, one, ended)
    with ThreadPoolExecutor(MOST) as pool:
        asked: list[Future[Answer]] = []
        while not ended.is_set() and not any(map(_was_refused, asked)):
            asked.append(pool.submit(scene.get, one, scene.expectations.slow_route, seconds=PATIENCE))
            ended.wait(EVERY)
        return tuple(request.result() for request in asked), status


def _readiness(scene: Scene, one: Live, ended: threading.Event) -> int | None:
    """The first no, or the yes that was asked for after RELUCTANT: on a busy machine a program hears late of its signal."""
    ready, last = scene.expectations.ready_route, time.monotonic() + RELUCTANT
    ended.wait(EVERY)
    while ready:
        now = time.monotonic()
        status = scene.get(one, ready, seconds=2.0).status
        if now > last or not 200 <= status < 400:
            return status
        ended.wait(AGAIN)
    return None


def _was_refused(request: Future[Answer]) -> bool:
    return request.done() and request.result().error == "refused"


def _since(answer: Answer, moment: float) -> Answer:
    """The answer with its times from `moment` on."""
    return replace(answer, began=answer.began - moment, ended=answer.ended - moment)
