"""Which verdicts count. Verdicts and a policy in, the same verdicts marked, and what is worth a note, out; pure.

An UNKNOWN that says something of this machine alone (no AppArmor, no emulator) is accepted unless the policy is strict: else no
machine without it could ever be content. All others count: nobody saw that the image is well. `[prove] unknown` accepts those
that it names, but none that could have been seen and was asked wrongly, and none of a container that never ran.
"""

from __future__ import annotations

from msgspec.structs import replace

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.verdict import Verdict, Waiver

OF_THE_HOST = "this machine could not show it of any image"


class Policy(Value, frozen=True, kw_only=True):
    """What is accepted though it is no PASS."""

    unknown: tuple[str, ...] = ()
    """Checks whose UNKNOWN is accepted."""
    accepting: str = "host"
    """host, accept or fail: which UNKNOWNs beside those."""
    waivers: tuple[Waiver, ...] = ()
    today: str = ""
    """YYYY-MM-DD."""


def settled(verdicts: tuple[Verdict, ...], policy: Policy) -> tuple[Verdict, ...]:
    """The verdicts, those that do not count marked with the reason."""
    return tuple(replace(one, waived=why) if (why := _waived(one, policy)) else one for one in verdicts)


def counts(verdict: Verdict, outcome: str) -> bool:
    """Whether it is such an outcome and nobody accepts it."""
    return verdict.outcome == outcome and not verdict.waived


def notes(verdicts: tuple[Verdict, ...], policy: Policy) -> tuple[Finding, ...]:
    """Waivers that are over, and those that nothing needs."""
    outcomes = {one.check: one.outcome for one in verdicts}
    found = []
    for one in policy.waivers:
        if one.until < policy.today and outcomes.get(one.check) in ("FAIL", "UNKNOWN"):
            message = f"{one.check} was accepted until {one.until}, and counts again: {one.reason}"
            found.append(Finding(name="waiver-ended", message=message, next="mend it, or set a new day"))
        elif outcomes.get(one.check) == "PASS":
            message = f"{one.check} passes, so nothing needs its waiver"
            found.append(
                Finding(name="waiver-unneeded", severity="note", message=message, next="take it out of wherry.toml")
            )
    return tuple(found)


def _waived(verdict: Verdict, policy: Policy) -> str:
    if verdict.outcome not in ("FAIL", "UNKNOWN"):
        return ""
    waiver = next((one for one in policy.waivers if one.check == verdict.check and one.until >= policy.today), None)
    if waiver is not None:
        return f"accepted until {waiver.until}: {waiver.reason}"
    if verdict.outcome == "FAIL":
        return ""
    if not verdict.acceptable:
        return ""
    if verdict.check in policy.unknown or policy.accepting == "accept":
        return "accepted by [prove] unknown"
    return OF_THE_HOST if verdict.host and policy.accepting == "host" else ""
