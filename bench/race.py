"""Contenders in, their samples out, alternating: each runs once a round, another first each time. Runs commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.images import EditMissingError
from bench.numbers import seconds
from bench.registry import RegistryError
from bench.results import Sample, Series
from bench.sample import Call, CallFailedError, measure


def nothing(_round: int) -> None:
    """Needs no preparation."""


@dataclass(slots=True, kw_only=True)
class Contender:
    """One tool in one race; what it did so far is kept in it."""

    tool: str
    calls: Callable[[], tuple[Call, ...]]
    ready: Callable[[int], None] = nothing
    """Called before each run, outside of the clock; round 0 is the one that is not counted."""
    look: Callable[[], int] = lambda: 0
    """The size of what came out, after the last run; EditMissingError or RegistryError when it is not what was asked for."""
    samples: list[Sample] = field(default_factory=list)
    size: int = 0
    failed: str = ""


Groups = tuple[tuple[Contender, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One scenario with one app."""

    scenario: str
    app: str
    groups: Groups
    rounds: int
    warm: bool = True
    """Run each once before it counts."""

    def run(self, log: Path) -> tuple[Series, ...]:
        """One Series for each contender, in the groups' order."""
        for number in range(0 if self.warm else 1, self.rounds + 1):
            for group in turned(self.groups, number):
                for contender in group:
                    once(contender, number, log)
            self._tell(number)
        for contender in self._contenders():
            finish(contender)
        return tuple(self._series(contender) for contender in self._contenders())

    def _contenders(self) -> tuple[Contender, ...]:
        return tuple(contender for group in self.groups for contender in group)

    def _series(self, contender: Contender) -> Series:
        return Series(
            scenario=self.scenario,
            app=self.app,
            tool=contender.tool,
            samples=() if contender.failed else tuple(contender.samples),
            size=contender.size,
            failed=contender.failed,
        )

    def _tell(self, number: int) -> None:
        last = (f"{c.tool} {seconds(c.samples[-1].wall)}" for c in self._contenders() if c.samples and not c.failed)
        head = f"{self.scenario}  {self.app}  {number}/{self.rounds}".strip()
        print(f"{head:44}{'  '.join(last)}", file=sys.stderr, flush=True)


def turned(groups: Groups, number: int) -> Groups:
    """The groups, beginning with another one in each round."""
    at = number % len(groups) if groups else 0
    return (*groups[at:], *groups[:at])


def once(contender: Contender, number: int, log: Path) -> None:
    """One run; nobody pays for what another left unwritten to the disk. A failure is the last run."""
    if contender.failed:
        return
    contender.ready(number)
    os.sync()
    try:
        sample = measure(contender.calls(), log)
    except CallFailedError as error:
        fail(contender, str(error))
        return
    if number:
        contender.samples.append(sample)


def finish(contender: Contender) -> None:
    if contender.failed:
        return
    try:
        contender.size = contender.look()
    except (EditMissingError, RegistryError, OSError, KeyError) as error:
        fail(contender, f"{type(error).__name__}: {error}")


def fail(contender: Contender, why: str) -> None:
    contender.failed = why
    print(f"{contender.tool} failed: {why}", file=sys.stderr, flush=True)
