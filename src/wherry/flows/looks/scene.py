"""What looks are given, and what they have in common. Touches nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from msgspec import field
from msgspec.structs import replace

from wherry.flows.container import Made, RunRequest
from wherry.flows.live import Live
from wherry.flows.looks.tester import Tester
from wherry.flows.session import Session
from wherry.kit.ports import Answer, Machine
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.model.observation import Expectations
from wherry.model.plan import Health
from wherry.runtime.look import answers_at, sockets


class Scene(Value, frozen=True, kw_only=True):
    """One proof under way."""

    made: Made
    machine: Machine
    expectations: Expectations
    run: RunRequest
    """What it was made from, for the same on another platform."""
    session: Session
    tester: Tester
    unwell: threading.Event = field(default_factory=threading.Event)
    """Set once its start was seen to lead to no good health: nobody waits for that a second time."""

    @property
    def together(self) -> bool:
        """Whether several containers can be there at a time: on this machine's network they would want the same ports."""
        return self.made.container.network != "host"

    @property
    def processors(self) -> int:
        """Of this machine, for this process."""
        return len(os.sched_getaffinity(0))

    def with_made(self, made: Made) -> Scene:
        """The same, of another container."""
        return replace(self, made=made)

    @property
    def port(self) -> int:
        """Where the application is asked."""
        return port_of(self.made.container)

    @property
    def command(self) -> str:
        """Its health command as people read it; empty where a route is asked, or nothing."""
        health = self.made.container.health
        return " ".join(health.command) if health and route_of(health) is None else ""

    @property
    def serves(self) -> bool:
        """Whether anything says that it can be asked."""
        return bool(self.made.container.ports) or route_of(self.made.container.health) is not None

    def get(self, live: Live, route: str, *, seconds: float = 5.0) -> Answer:
        """One GET in the container's own network. In this machine's, only what it listens on itself is asked: what somebody else
        answers proves nothing of it, so that is refused as in a network of its own."""
        if not answers_at(live.pid, self.port):
            return refused()
        return self.machine.ask(live.pid, self.port, route, seconds)


def refused() -> Answer:
    """What a port says where nobody listens."""
    now = time.monotonic()
    return Answer(error="refused", began=now, ended=now)


class Look(Value, frozen=True, kw_only=True):
    """A function and the fields of `Observed` that it fills."""

    gives: tuple[str, ...]
    look: Callable[[Scene], dict[str, object]]


def can_check(scene: Scene, live: Live) -> bool:
    """Whether its health command can be run inside: not from a chroot (setns(2) leaves it), nor under a profile of a look's own,
    whose listener would wait for whoever enters."""
    same = live.container.seccomp == scene.made.container.seccomp
    return bool(scene.command) and same and not scene.made.runtime.no_pivot


def port_of(container: Container) -> int:
    """Where HTTP is asked: the health check's port, else the lowest one that the image declares; 0: unknown."""
    health = route_of(container.health)
    declared = [int(one.partition("/")[0]) for one in container.ports if not one.endswith("/udp")]
    return health[0] if health else min(declared, default=0)


def route_of(health: Health | None) -> tuple[int, str] | None:
    """Port and path of a check by HTTP: said, or read from wherry's own probe's arguments; None for other commands."""
    if health is None:
        return None
    if health.path or health.port:
        return health.port, health.path or "/"
    if health.command[:1] == ("/wherry/probe",) and len(health.command) > 2 and health.command[1].isdigit():
        return int(health.command[1]), health.command[2]
    return None


def routes_of(scene: Scene) -> tuple[str, ...]:
    """What it is asked for, each once."""
    health = route_of(scene.made.container.health)
    wanted = (health[1] if health else "", "/", scene.expectations.ready_route, scene.expectations.slow_route)
    return tuple(dict.fromkeys(route for route in wanted if route))


def until_well(scene: Scene, live: Live, seconds: float) -> Answer | None:
    """As `until_healthy`; None at once where it was seen already that there is no good health to wait for."""
    return until_healthy(scene, live, seconds, over=scene.unwell.is_set)


def until_healthy(scene: Scene, live: Live, seconds: float, over: Callable[[], bool] = lambda: False) -> Answer | None:
    """The first good answer of the health route, a health command that ended well, or a listening port where there is neither;
    None when there was none in time, or before it was `over`."""
    route, answers = route_of(scene.made.container.health), list[Answer]()

    def healthy() -> bool:
        if can_check(scene, live):
            probe = live.checked()
            return probe is not None and probe.well
        if route is None:
            return bool(sockets(live.pid).listening)
        answers.append(scene.get(live, route[1], seconds=2.0))
        return 200 <= answers[-1].status < 400

    found = live.until(lambda: over() or healthy(), seconds) and not over()
    if route is None:
        return Answer(status=200) if found else None
    return answers[-1] if found else None
