"""What a proof says: one verdict a check. Touches nothing."""

from __future__ import annotations

from typing import Final, Literal

from wherry.kit.value import Value

CHECKS: Final = (
    *(
        "start",
        "user",
        "capabilities",
        "privileges",
        "seccomp",
        "apparmor",
        "isolation",
        "rootfs",
        "memory",
        "cpu",
        "pids",
    ),
    *(
        "health",
        "ready",
        "ports",
        "drain",
        "reap",
        "tls",
        "zones",
        "dns",
        "users",
        "random-uid",
        "arm64",
        "shell",
        "setuid",
    ),
    *("writable-files", "secrets", "sources", "size"),
)
"""Names that settings may say, in the order of `judge.table`."""
TEST: Final = "test: "
"""How names of checks begin that a file of container-structure-test brings; settings may say any such."""

Outcome = Literal["PASS", "FAIL", "SKIP", "UNKNOWN"]
"""PASS: it was seen. FAIL: the opposite was seen. SKIP: it does not apply. UNKNOWN: it could not be seen here, and why."""


class Verdict(Value, frozen=True, kw_only=True):
    """One check's answer. `wherry explain CHECK` says what is looked at and why."""

    check: str
    outcome: Outcome
    summary: str
    """One line."""
    seen: tuple[str, ...] = ()
    """What was observed, in order."""
    concluded: tuple[str, ...] = ()
    """What follows from it, or was guessed from the sources."""
    where: tuple[str, ...] = ()
    """Places in the sources, `path:line` first."""
    next: tuple[str, ...] = ()
    host: bool = False
    """An UNKNOWN of this machine, which could not show it of any image."""
    acceptable: bool = True
    """Whether `[prove] unknown` may accept it: not what was asked wrongly, nor what never ran."""
    waived: str = ""
    """Why a FAIL or UNKNOWN does not count, and until when."""


class Waiver(Value, frozen=True, kw_only=True):
    """A check whose FAIL or UNKNOWN is accepted for a while."""

    check: str
    reason: str
    until: str
    """Its last day, YYYY-MM-DD."""
