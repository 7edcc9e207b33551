"""The image's time of creation: SOURCE_DATE_EPOCH, else the commit's time, else 0, so that equal sources give equal bytes."""

from __future__ import annotations

import datetime as dt
from typing import Final

from wherry.errors import UsageError
from wherry.model.plan import Decision
from wherry.plan.answer import Answer
from wherry.plan.inputs import PlanInputs

VARIABLE: Final = "SOURCE_DATE_EPOCH"
LATEST: Final = 253_402_300_799
"""The last second of the year 9999: RFC 3339 has no later one."""


def decide(inputs: PlanInputs) -> Answer[int]:
    """Unix seconds. UsageError [bad-epoch] when SOURCE_DATE_EPOCH is no such number (reproducible-builds.org/specs)."""
    given = dict(inputs.environment).get(VARIABLE, "")
    if given:
        return _answer(seconds_of(given), VARIABLE, decision_origin="environment")
    vcs = inputs.project.vcs
    if vcs is None:
        return _answer(0, "no commit and no SOURCE_DATE_EPOCH", decision_origin="default")
    return _answer(max(0, min(vcs.time, LATEST)), "time of the commit", decision_origin="found")


def rfc3339(seconds: int) -> str:
    """`2026-11-21T05:14:00Z`."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> int:
    """What SOURCE_DATE_EPOCH says; UsageError [bad-epoch]."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= LATEST):
        raise UsageError(
            "bad-epoch",
            f"{VARIABLE} is {text[:40]!r}, not a number of seconds since 1970",
            where=VARIABLE,
            next=f"unset {VARIABLE}, or set it with: export {VARIABLE}=$(git log -1 --format=%ct)",
        )
    return int(text)


def _answer(seconds: int, reason: str, *, decision_origin: str) -> Answer[int]:
    match decision_origin:
        case "environment":
            decision = Decision(name="created", value=rfc3339(seconds), reason=reason, origin="environment")
        case "found":
            decision = Decision(name="created", value=rfc3339(seconds), reason=reason, origin="found")
        case _:
            decision = Decision(name="created", value=rfc3339(seconds), reason=reason)
    return Answer(value=seconds, decisions=(decision,))
