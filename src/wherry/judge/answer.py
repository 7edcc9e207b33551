"""How verdicts are put. Touches nothing."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.model.observation import Needless, Nothing
from wherry.model.verdict import Verdict


def passed(check: str, summary: str, *seen: str) -> Verdict:
    """It was seen."""
    return Verdict(check=check, outcome="PASS", summary=summary, seen=seen)


def failed(check: str, summary: str, *seen: str, next: str | tuple[str, ...] = ()) -> Verdict:  # noqa: A002 - the word users see
    """The opposite was seen."""
    steps = (next,) if isinstance(next, str) else next
    return Verdict(check=check, outcome="FAIL", summary=summary, seen=seen, next=steps)


def unknown(check: str, summary: str, *seen: str, host: bool = False, next: tuple[str, ...] = ()) -> Verdict:  # noqa: A002
    """It could not be seen; `host`: on this machine of no image."""
    return Verdict(check=check, outcome="UNKNOWN", summary=summary, seen=seen, host=host, next=next)


def never_accepted(verdict: Verdict) -> Verdict:
    """The same, so that a waiver with its reason may accept it, and no list of `[prove] unknown`."""
    return replace(verdict, acceptable=False)


def nothing(check: str, why: Nothing) -> Verdict:
    """UNKNOWN or SKIP, with the look's own reason."""
    if isinstance(why, Needless):
        return Verdict(check=check, outcome="SKIP", summary=why.why)
    return unknown(check, why.why, host=why.host, next=why.next)


def milliseconds(duration: float) -> str:
    """`38 ms`, `2.4 s`."""
    return f"{duration * 1000:.0f} ms" if duration < 1 else f"{duration:.1f} s"
