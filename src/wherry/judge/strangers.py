"""Does it run as a user whom nobody knows, and on another processor."""

from __future__ import annotations

from wherry.judge.answer import failed, milliseconds, nothing, passed, unknown
from wherry.model.observation import Expectations, Observed, Start
from wherry.model.trials import Emulated, Stranger
from wherry.model.verdict import Verdict


def random_uid(observed: Observed, _: Expectations) -> Verdict:
    """PASS: it is healthy as a random user in group 0, as OpenShift starts it."""
    match observed.stranger:
        case Stranger() as seen if seen.healthy_after is not None:
            how = "healthy" if seen.ended is None else "ran to its end"
            return passed("random-uid", f"{how} as {seen.uid}:0 after {milliseconds(seen.healthy_after)}")
        case Stranger() as seen:
            if not _starts(observed):
                return unknown("random-uid", "as its own user it is not well, either")
            what = f"it ends with status {seen.ended}" if seen.ended is not None else "it is never healthy"
            step = "folders that it writes to must belong to group 0, and be writable for it"
            return failed("random-uid", f"as {seen.uid}:0 {what}", *seen.log, next=step)
        case why:
            return nothing("random-uid", why)


def arm64(observed: Observed, _: Expectations) -> Verdict:
    """PASS: its image for arm64 is healthy under an emulator. SKIP: there is none."""
    match observed.emulated:
        case Emulated() as seen if seen.healthy_after is not None:
            answer = f", {seen.answer}" if seen.answer else ""
            how = "healthy" if seen.ended is None else "ran to its end"
            return passed("arm64", f"{how} under {seen.emulator} after {milliseconds(seen.healthy_after)}{answer}")
        case Emulated() as seen:
            if not _starts(observed):
                return unknown("arm64", "on this machine's processor it is not well, either")
            what = f"it ends with status {seen.ended}" if seen.ended is not None else "it is never healthy"
            return failed("arm64", f"under {seen.emulator} {what}", *seen.log, next=f"try it on {seen.platform} itself")
        case why:
            return nothing("arm64", why)


def _starts(observed: Observed) -> bool:
    """Unless the opposite was seen."""
    return not isinstance(observed.start, Start) or observed.start.is_well
