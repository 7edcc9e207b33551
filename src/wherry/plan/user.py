"""Who the program runs as: numbers, and not root unless somebody insists. Touches nothing.

The kubelet refuses a user's name under runAsNonRoot, since it cannot look it up; so names become numbers here.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UsageError
from wherry.model.finding import Finding
from wherry.model.plan import Decision
from wherry.plan.answer import Answer, Facts, because, where

DEFAULT: Final = "65532:65532"
NAMES: Final = {"nonroot": 65532, "nobody": 65534, "root": 0}
LARGEST: Final = 2**31 - 1
_FORM: Final = re.compile(r"(\d{1,10}|nonroot|nobody|root)(?::(\d{1,10}|nonroot|nobody|root))?", re.ASCII)


def decide(facts: Facts) -> Answer[str]:
    """`uid:gid`; a user without a group gets the one of its own number. UsageError [user-name] for other names."""
    given = facts.settings.image.user
    source = facts.settings.source("image", "user")
    match = _FORM.fullmatch(DEFAULT if given is None else str(given))
    uid, gid = (_number(match[1]), _number(match[2] or match[1])) if match else (-1, -1)
    if not 0 <= uid <= LARGEST or not 0 <= gid <= LARGEST or isinstance(given, bool):
        raise UsageError(
            "user-name",
            f"the user {str(given)[:40]!r} is not a number",
            where=where(source, ("image", "user")),
            why="Kubernetes cannot tell whether a name is root, and an image need not know the name",
            next="write numbers like 65532:65532, or nonroot",
        )
    reason, origin = because(source, "not root")
    reason = reason if uid else "root, as you set it"
    decision = Decision(name="user", value=f"{uid}:{gid}", reason=reason, origin=origin, place=source.place)
    return Answer(value=f"{uid}:{gid}", decisions=(decision,), findings=() if uid else (_root(facts),))


def _number(word: str) -> int:
    return NAMES[word] if word in NAMES else int(word)


def _root(facts: Facts) -> Finding:
    return Finding(
        name="root-user",
        message="the program runs as root, and Kubernetes' restricted profile refuses that",
        subject=facts.subject,
        place=facts.settings.source("image", "user").place,
        next="leave image.user out; image.writable gives the program its own directories",
    )
