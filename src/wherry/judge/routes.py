"""Does it tell truly how it is: health and readiness."""

from __future__ import annotations

from wherry.judge.answer import failed, nothing, passed, unknown
from wherry.judge.start import PORTLESS, portless
from wherry.model.observation import Checked, Drain, Expectations, Needless, Observed, Routes, Sockets, Start, Unseen
from wherry.model.verdict import Verdict


def health(observed: Observed, _: Expectations) -> Verdict:
    """PASS: the health route answers 200 to 399 while it runs, or its health command ends with 0. SKIP: it has no port."""
    match observed.routes:
        case Routes(checked=Checked() as one):
            return _by_command(one)
        case Routes(checked=Unseen() as why):
            return nothing("health", why)
        case Routes(health="") if portless(observed):
            return nothing("health", Needless(why=PORTLESS))
        case Routes() if _silent(observed):
            return unknown("health", "it listens nowhere, see start")
        case Routes(health=""):
            step = "--set image.health.path=/healthz of a package, or [image.health] in wherry.toml"
            return unknown("health", "no health route is known", next=(step,))
        case Routes() as seen if 200 <= seen.health_status < 400:
            return passed("health", f"{seen.health} {seen.health_status}")
        case Routes() as seen:
            return failed(
                "health",
                f"{seen.health} answered {seen.health_status or 'nothing'}",
                next=_elsewhere(seen, observed) or "[image.health] names the route",
            )
        case why:
            return nothing("health", why)


def _elsewhere(seen: Routes, observed: Observed) -> str:
    """Empty where it listens on the port that was asked."""
    open_at = {one.port for one in observed.sockets.listening} if isinstance(observed.sockets, Sockets) else set()
    if seen.health_status or not open_at or seen.health_port in open_at:
        return ""
    said = ", ".join(map(str, sorted(open_at)))
    return f"[image.health] names the port: {seen.health_port} was asked, and it listens on {said}"


def _by_command(seen: Checked) -> Verdict:
    if seen.well:
        return passed("health", f"{seen.command} ended with 0")
    return failed(
        "health", f"{seen.command} failed", *seen.said.splitlines()[-3:], next="[image.health] names the command"
    )


def ready(observed: Observed, wanted: Expectations) -> Verdict:
    """PASS: the readiness route says yes while it runs, and no once it stops, so that nobody sends it more. Who waits for servers
    that nothing leads to says no with reason: UNKNOWN. SKIP: it has no port."""
    match observed.routes:
        case Routes(ready="") if portless(observed):
            return nothing("ready", Needless(why=PORTLESS))
        case Routes(ready=""):
            step = "--ready-route /readyz, or [prove] ready-route in wherry.toml"
            return unknown("ready", "no readiness route is known", next=(step,))
        case Routes() if _silent(observed):
            return unknown("ready", "it listens nowhere, see start")
        case Routes() as seen if not 200 <= seen.ready_status < 400:
            said = f"{seen.ready} answered {seen.ready_status or 'nothing'} while it ran"
            return _waiting(said, wanted.backing) if _alone(observed, wanted) else failed("ready", said)
        case Routes() as seen:
            return _stopping(seen, observed)
        case why:
            return nothing("ready", why)


def _alone(observed: Observed, wanted: Expectations) -> bool:
    """Whether it talks to servers, and its network leads to none."""
    return bool(wanted.backing) and observed.container.network in ("own", "none")


def _waiting(said: str, backing: tuple[str, ...]) -> Verdict:
    servers = " and ".join(backing)
    steps = (
        f"--network host -e NAME=VALUE, with its own variables, where {servers} can be reached",
        '[prove] unknown = ["ready"] in wherry.toml accepts that nobody saw it ready',
    )
    return unknown("ready", f"{said}; it talks to {servers}, and there is none here", next=steps)


def _silent(observed: Observed) -> bool:
    """It never listened, so nothing of it was asked: that is the fault of its start."""
    start = observed.start
    return isinstance(start, Start) and start.listening_after is None and start.healthy_after is None


def _stopping(seen: Routes, observed: Observed) -> Verdict:
    tries = observed.drain.tries if isinstance(observed.drain, Drain) else ()
    asked = [one.ready for one in tries if one.ready is not None and one.exit_code is not None]
    if tries and not any(one.exit_code is not None for one in tries):
        return unknown("ready", f"{seen.ready} {seen.ready_status}; it did not stop, see drain")
    if not asked:
        why = "while it stops it could not be asked, which needs [prove] slow-route"
        step = "--slow-route /report, or [prove] slow-route in wherry.toml: a GET that takes a second or two"
        return unknown("ready", f"{seen.ready} {seen.ready_status}; {why}", next=(step,))
    said = [status for status in asked if 200 <= status < 400]
    if said:
        step = "answer 503 there from the signal on"
        return failed("ready", f"{seen.ready} still said {said[0]} half a second after the stop signal", next=step)
    words = ", ".join(dict.fromkeys(map(_answer, asked)))
    early = "" if 200 <= seen.ready_before < 400 else f"; {_answer(seen.ready_before)} at first"
    return passed("ready", f"{seen.ready} {seen.ready_status}, {words} once stopping{early}")


def _answer(status: int) -> str:
    return str(status) if status else "refused"
