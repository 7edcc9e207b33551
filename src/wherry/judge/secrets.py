"""Does the image give away a secret. What is told is its kind and place, never itself."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.judge.answer import failed, nothing, passed
from wherry.judge.contents import SHOWN, place_of
from wherry.model.contents import Contents, Leak
from wherry.model.observation import Expectations, Observed
from wherry.model.verdict import Verdict

NAME = "secrets"


def secrets(observed: Observed, _: Expectations) -> Verdict:
    """PASS: no key, token or password was recognised in layers (hidden ones too), variables, labels, history or arguments."""
    match observed.contents:
        case Contents(leaks=()):
            return passed(NAME, "none recognised in layers, variables, labels, history or arguments")
        case Contents() as seen:
            rows = tuple(_row(leak) for leak in seen.leaks[:SHOWN])
            more = (f"... and {len(seen.leaks) - SHOWN} more",) if len(seen.leaks) > SHOWN else ()
            count = len(seen.leaks)
            summary = f"it gives away {seen.leaks[0].what if count == 1 else f'{count} secrets'}"
            steps = (
                "take it out of the image, and revoke it: who has the image has it",
                "wherry run --secret NAME=FILE",
            )
            verdict = failed(NAME, summary, *rows, *more, next=steps)
            return replace(verdict, where=tuple(place_of(seen, one.place, one.layer) for one in seen.leaks[:SHOWN]))
        case why:
            return nothing(NAME, why)


def _row(leak: Leak) -> str:
    hidden = f"; deleted above layer {leak.layer}, and still in it" if leak.hidden else ""
    return f"{leak.place}: {leak.what}{hidden}"
