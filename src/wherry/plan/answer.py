"""What a decision gives back, and how answers are gathered. Touches nothing.

A decision is a function that returns an `Answer` or raises a WherryError; the ledger collects both, so that one run shows all
mistakes (rule 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Generic, NoReturn, TypeVar

from wherry.errors import Several, UsageError, WherryError
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.plan import Decision, Origin
from wherry.model.project import Main
from wherry.plan.inputs import PlanInputs
from wherry.plan.tiers import Effective, Keys, Source

A = TypeVar("A")
T = TypeVar("T")
MOST: Final = 20


class Answer(Value, Generic[T], frozen=True, kw_only=True):
    """A decided value, how it is told, and what is worth warning of."""

    value: T
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()


class Facts(Value, frozen=True, kw_only=True):
    """What every decision about one main may look at."""

    inputs: PlanInputs
    main: Main
    settings: Effective
    version: str = ""
    """As people write it, `+dirty` included; empty when nothing is known."""
    created: int = 0

    @property
    def subject(self) -> str:
        """What findings call this main."""
        return self.main.name


class Ledger:
    """Decisions, findings and errors as they come in."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.findings: list[Finding] = []
        self.errors: list[WherryError] = []

    def take(self, answer: Answer[T]) -> T:
        """The value; decisions and findings are written down."""
        self.decisions += answer.decisions
        self.findings += answer.findings
        return answer.value

    def ask(self, decide: Callable[[], Answer[T]], instead: T) -> T:
        """The decided value, or `instead` when deciding failed: the error is raised later, with all others."""
        try:
            return self.take(decide())
        except WherryError as error:
            self.note(error)
            return instead

    def note(self, error: WherryError) -> None:
        """Keeps a mistake for later; of several, each."""
        self.errors += error.errors if isinstance(error, Several) else (error,)

    def close(self) -> None:
        """Raises what was collected, each mistake once, and no more than anybody reads."""
        unique = {(error.name, error.message, error.where): error for error in self.errors}
        errors = tuple(unique.values())[:MOST]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise Several(errors)


def each(decide: Callable[[int, A], T], items: Iterable[A]) -> tuple[T, ...]:
    """`decide` for each item with its number; the mistakes of all of them are raised together."""
    ledger, values = Ledger(), []
    for number, item in enumerate(items):
        try:
            values.append(decide(number, item))
        except WherryError as error:
            ledger.note(error)
    ledger.close()
    return tuple(values)


def because(source: Source, reason: str) -> tuple[str, Origin]:
    """The reason and origin of a decision: `reason` holds for wherry's own choice, otherwise the user said so."""
    return (reason, "default") if source.origin == "default" else ("as you set it", source.origin)


def refuse(settings: Effective, keys: Keys, message: str, *, next: str = "") -> NoReturn:  # noqa: A002
    """Raises UsageError [bad-setting] that points at the value under `keys`."""
    raise UsageError("bad-setting", message, where=where(settings.source(*keys), keys), next=next)


def where(source: Source, keys: Keys) -> str:
    """Where a person finds the value: `wherry.toml:3:1   user = "bob"`, `WHERRY_IMAGE_USER=bob`."""
    if source.place:
        return f"{source.place}   {source.text}".rstrip()
    return source.text or ".".join(map(str, keys))
