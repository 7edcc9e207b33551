"""A profile that was made, and how it was proved. Touches nothing."""

from __future__ import annotations

from typing import Literal

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.recording import Recording


class Exercised(Value, frozen=True, kw_only=True):
    """What was asked of the application in one run, and what came of it."""

    healthy: bool = False
    answers: tuple[tuple[str, int, int], ...] = ()
    """Route, status of its last answer (0: none), how often it was asked."""
    script: int | None = None
    """Exit status of the script; None: there was none."""
    failed: tuple[str, ...] = ()
    """What was to be exercised and was not: `GET /users: 404`, `smoke.sh: status 3`."""
    exit_code: int | None = None
    """Of the application after the stop signal; None: it had to be killed."""
    log: tuple[str, ...] = ()
    """The last lines that the application said."""
    median: float = 0.0
    """Milliseconds of an answer."""


class Ceiled(Value, frozen=True, kw_only=True):
    """What the binary itself says."""

    program: str
    """The file in the image."""
    names: tuple[str, ...] = ()
    complete: bool = False
    why: str = ""
    """Why there is no ceiling."""
    unclear: tuple[str, ...] = ()
    """Places whose call is not known: `function: reason`."""


class Suggestion(Value, frozen=True, kw_only=True):
    """A line for wherry.toml, or advice, with what was seen."""

    line: str
    why: str


class Profile(Value, frozen=True, kw_only=True):
    """Everything about one profile."""

    subject: str
    engine: str
    architecture: str
    mode: Literal["safe", "strict"]
    bounded: bool
    """The ceiling is known, so nothing beyond the program's own code is allowed."""
    names: tuple[str, ...]
    """What the profile allows."""
    before: int
    """How many the container was allowed without it."""
    floor: tuple[str, ...]
    unexercised: tuple[str, ...]
    """Linked and never seen: allowed when `safe`, refused when `strict`."""
    added: tuple[str, ...] = ()
    """Called only when the profile was proved, and added then."""
    recording: Recording
    ceiling: Ceiled
    recorded: Exercised
    proved: Exercised
    suggestions: tuple[Suggestion, ...] = ()
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
