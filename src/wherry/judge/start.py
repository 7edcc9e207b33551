"""Does it come up, stay up, and how fast."""

from __future__ import annotations

from wherry.judge.answer import failed, milliseconds, nothing, passed, unknown
from wherry.model.lastwords import hint
from wherry.model.observation import Expectations, Observed, Sockets, Start
from wherry.model.verdict import Verdict

NAME = "start"
PORTLESS = "it listens nowhere, and declares no port"


def start(observed: Observed, wanted: Expectations) -> Verdict:
    """PASS: it was healthy within the budget, or listened where nobody can ask for its health, and went on. What declares no port
    may end with 0 instead. Who listens and is never healthy is UNKNOWN here, since one fault is one FAIL: that of `health`."""
    match observed.start:
        case Start() as seen:
            return _judged(seen, observed, wanted)
        case why:
            return nothing(NAME, why)


def never_ran(observed: Observed) -> bool:
    """Whether it could not be started, or ended though it should not have: then nothing of it was there to be seen."""
    seen = observed.start
    if not isinstance(seen, Start):
        return False
    return bool(seen.refused) or (seen.ended is not None and (seen.ended != 0 or _served(seen, observed)))


def portless(observed: Observed) -> bool:
    """Whether nothing declares a port or names a route, and it was seen to listen nowhere."""
    seen, sockets = observed.start, observed.sockets
    if not isinstance(seen, Start) or _served(seen, observed) or seen.listening_after is not None:
        return False
    return not (isinstance(sockets, Sockets) and sockets.listening)


def _served(seen: Start, observed: Observed) -> bool:
    return bool(observed.container.ports) or bool(seen.route)


def _judged(seen: Start, observed: Observed, wanted: Expectations) -> Verdict:
    if seen.refused:
        return failed(NAME, seen.refused, *seen.log, next=seen.next or observed.again)
    if seen.ended is not None:
        return _ended(seen, observed)
    served = _served(seen, observed)
    first = seen.healthy_after if seen.healthy_after is not None else seen.listening_after
    if first is None and not served:
        return passed(NAME, f"it runs; {PORTLESS}")
    more = "[prove] start allows more seconds"
    if first is None:
        return failed(NAME, f"it listened nowhere for {milliseconds(seen.waited)}", *seen.log, next=more)
    summary = f"listening after {milliseconds(first)}"
    if seen.healthy_after is not None:
        by = f"{seen.route} {seen.status}" if seen.route else seen.command
        summary = f"healthy after {milliseconds(first)}, {by}"
    if first > wanted.start:
        return failed(NAME, f"{summary}; the budget is {wanted.start:g} s", next=more)
    if seen.healthy_after is None and (seen.route or seen.command):
        said = f"{seen.route} answered {seen.status or 'nothing'}" if seen.route else f"{seen.command} failed"
        return unknown(NAME, f"{summary}, and never healthy: {said}, see health")
    return passed(NAME, summary)


def _ended(seen: Start, observed: Observed) -> Verdict:
    if not never_ran(observed):
        return passed(NAME, f"it ran to its end in {milliseconds(seen.waited)}, with status 0")
    why = "its memory limit killed it" if seen.out_of_memory else f"it ended with status {seen.ended}"
    before = " of good health" if seen.healthy_after is not None else ""
    asked = f", asked for {seen.route}" if seen.listening_after is not None and not before and seen.route else ""
    step = "--memory allows more" if seen.out_of_memory else observed.again
    step = hint("\n".join(seen.log), observed.container) or step
    return failed(NAME, f"{why} after {milliseconds(seen.waited)}{before}{asked}", *seen.log, next=step)
