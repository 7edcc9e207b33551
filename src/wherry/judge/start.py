"""Does it come up, and how fast."""

from __future__ import annotations

from wherry.judge.answer import failed, milliseconds, nothing, passed
from wherry.model.observation import Expectations, Observed, Start
from wherry.model.verdict import Verdict

NAME = "start"


def start(observed: Observed, wanted: Expectations) -> Verdict:
    """PASS: healthy within the budget. A good answer is 200 to 399; where no route is known, a listening port."""
    match observed.start:
        case Start() as seen:
            return _judged(seen, observed, wanted)
        case why:
            return nothing(NAME, why)


def _judged(seen: Start, observed: Observed, wanted: Expectations) -> Verdict:
    if seen.ended is not None:
        why = "its memory limit killed it" if seen.out_of_memory else f"it ended with status {seen.ended}"
        step = "--memory 512m" if seen.out_of_memory else f"wherry run {observed.container.name}"
        return failed(NAME, f"{why} after {milliseconds(seen.waited)}", *seen.log, next=step)
    if seen.healthy_after is None:
        what = f"{seen.route} answered {seen.status or 'nothing'}" if seen.route else "it listens nowhere"
        return failed(
            NAME,
            f"not healthy after {milliseconds(seen.waited)}: {what}",
            *seen.log,
            next='[prove] start = "30s" allows more',
        )
    summary = f"{'healthy' if seen.route else 'listening'} after {milliseconds(seen.healthy_after)}"
    summary += f", {seen.route} {seen.status}" if seen.route else ""
    if seen.healthy_after > wanted.start:
        return failed(NAME, f"{summary}; the budget is {wanted.start:g} s", next="[prove] start allows more")
    return passed(NAME, summary)
