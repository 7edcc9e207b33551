"""What is asked of an application while it is watched: routes, a script, its stop. A live container in, what came of it out."""

from __future__ import annotations

import contextlib
import re
import signal
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from wherry.errors import UsageError
from wherry.flows.container import Made
from wherry.flows.live import Live
from wherry.flows.looks.scene import refused, route_of
from wherry.kit.attending import Opening
from wherry.kit.ports import Answer, Command, Machine
from wherry.kit.value import Value
from wherry.model.profile import Exercised
from wherry.runtime.look import answers_at, sockets

ROUTE = re.compile(r"/[!-~]*")
PACE = 0.02
"""Seconds between two requests: 50 a second."""
QUIET = 2.0
"""Seconds after which a program that serves nothing is taken to be at work."""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""What a script gets of this machine's variables."""
SCRIPT = 600.0
"""Seconds that a script may take."""


class Exercise(Value, frozen=True, kw_only=True):
    """What to ask."""

    routes: tuple[str, ...] = ()
    script: str = ""
    """A file; it is run on this machine and reaches the application at WHERRY_URL."""
    seconds: float = 2.0
    """How long routes are asked again and again, and how long everybody else may use published ports."""
    patience: float = 30.0
    """Seconds until healthy."""


class Stage(Value, frozen=True, kw_only=True):
    """Who is exercised, and with which doors."""

    made: Made
    machine: Machine

    @property
    def route(self) -> tuple[int, str] | None:
        """Port and path of its health check by HTTP."""
        return route_of(self.made.container.health)

    @property
    def port(self) -> int:
        """Where it is asked: its health check's port, else one that is published, else the first one that the image declares; 0:
        unknown."""
        container = self.made.container
        published = [one.port for one in container.publish if one.protocol == "tcp"]
        declared = [int(one.partition("/")[0]) for one in container.ports if not one.endswith("/udp")]
        return self.route[0] if self.route else min(published or declared, default=0)

    def get(self, one: Live, route: str) -> Answer:
        """One GET in the container's own network; in this machine's, of what it listens on itself alone."""
        if not answers_at(one.pid, self.port):
            return refused()
        return self.machine.ask(one.pid, self.port, route)

    def until_well(self, one: Live, seconds: float) -> bool:
        """Until its health route answers well, or it listens where none is known; a program that serves nothing is well when it
        ends with status 0, or goes on."""
        if self.route is not None:
            _, path = self.route
            return one.until(lambda: 200 <= self.get(one, path).status < 400, seconds)
        if self.port:
            return one.until(lambda: bool(sockets(one.pid).listening), seconds)
        code = one.wait(min(seconds, QUIET))
        return code in (None, 0)


def check(what: Exercise) -> None:
    """UsageError [no-script] when the script is not there, [usage] for a route that no server can be asked for."""
    for route in what.routes:
        if not ROUTE.fullmatch(route):
            raise UsageError("usage", f"--get {route[:60]!r} is no path of a URL", next="write it like --get /healthz")
    if what.script and not Path(what.script).is_file():
        raise UsageError(
            "no-script",
            f"there is no script {what.script}",
            where=f"--exercise {what.script}",
            next="name a file that can be run, or ask for a route: --get /healthz",
        )


def exercise(stage: Stage, one: Live, what: Exercise) -> Exercised:
    """Waits until it is healthy, asks everything, stops it."""
    healthy = stage.until_well(one, what.patience)
    answers: dict[str, list[Answer]] = {}
    script = None
    if healthy:
        wanted = [Opening(host=one.host, outer=one.host_port, inner=one.port) for one in stage.made.container.publish]
        wanted += [Opening(inner=stage.port)] if stage.port else []
        with contextlib.closing(stage.machine.forward(tuple(wanted))) as ports:
            ports.to(one.pid)
            script = _script(stage, what.script, ports.addresses) if what.script else None
            answers = _asked(stage, one, what, busy=bool(what.script))
    code = _stopped(one)
    times = [(answer.ended - answer.began) * 1000 for all_ in answers.values() for answer in all_ if answer.status]
    return Exercised(
        healthy=healthy,
        answers=tuple((route, asked[-1].status, len(asked)) for route, asked in answers.items()),
        script=script,
        failed=failed(what, answers, script) if healthy else (),
        exit_code=code,
        log=one.log.lines(),
        median=statistics.median(times) if times else 0.0,
    )


def failed(what: Exercise, answers: Mapping[str, Sequence[Answer]], script: int | None) -> tuple[str, ...]:
    """Which wanted routes never answered well, and the script when it says so. Routes that nobody named are guesses, so they
    cannot fail."""
    never = [
        f"GET {route}: {answers[route][-1].status or 'no answer'}" if answers.get(route) else f"GET {route}: not asked"
        for route in what.routes
        if not any(0 < one.status < 400 for one in answers.get(route, ()))
    ]
    return (*never, *((f"{Path(what.script).name}: status {script}",) if script else ()))


def _asked(stage: Stage, one: Live, what: Exercise, *, busy: bool) -> dict[str, list[Answer]]:
    """Every route once at least, then again until the time is over."""
    routes = what.routes or _known(stage)
    answers: dict[str, list[Answer]] = {route: [] for route in routes}
    end = time.monotonic() + (0.0 if busy and not what.routes else what.seconds)
    while one.wait(0.0) is None:
        for route in routes:
            answers[route].append(stage.get(one, route))
            time.sleep(PACE)
        if time.monotonic() >= end:
            break
        if not routes:
            time.sleep(PACE)
    return {route: asked for route, asked in answers.items() if asked}


def _known(stage: Stage) -> tuple[str, ...]:
    """The health route, and / where a port is known."""
    route = route_of(stage.made.container.health)
    return tuple(dict.fromkeys((*((route[1],) if route else ()), *(("/",) if stage.port else ()))))


def _script(stage: Stage, script: str, addresses: tuple[str, ...]) -> int:
    """Its exit status."""
    host = addresses[-1].partition("->")[0] if addresses else ""
    known = dict(stage.machine.variables)
    variables: dict[str, str] = {name: known[name] for name in KEPT if name in known}
    variables |= {"WHERRY_ADDRESS": host, "WHERRY_URL": f"http://{host}"} if host else {}
    path = Path(script).resolve()
    words = (str(path),) if path.stat().st_mode & 0o111 else ("/bin/sh", str(path))
    done = stage.machine.run(Command(argv=words, environment=tuple(sorted(variables.items())), timeout=SCRIPT))
    return done.code


def _stopped(one: Live) -> int | None:
    """Its exit status after the stop signal; None when it had to be killed."""
    if one.wait(0.0) is None:
        one.signal(one.container.stop_signal)
    code = one.wait(one.container.grace)
    if code is None:
        one.signal(signal.SIGKILL.name)
        one.wait(5.0)
    return code
