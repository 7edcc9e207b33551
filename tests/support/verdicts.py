"""Every image of tests/apps, proved under one engine, and the page that says what each got: docs/verdicts.md.

An engine in, outcomes out; with `WRITE_VERDICTS=1` a test writes its engine's part of the page anew, and the others' stay.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from tests.support import apps
from tests.support.contained import Case
from wherry.errors import WherryError
from wherry.flows.container import RunRequest
from wherry.flows.prove import ProveRequest, prove
from wherry.judge import CHECKS
from wherry.model.container import Options
from wherry.model.observation import Expectations
from wherry.model.verdict import Verdict

PAGE = Path(__file__).parents[2] / "docs/verdicts.md"
WANTED = Expectations(start=20.0, slow_route="/slow", ready_route="/readyz", tries=1, size=12_000_000)
"""Only who is never well, or never ready, is waited for until `start` is over: it may be longer than a busy machine needs."""
WANTED_OF = {"slowstart": replace(WANTED, start=4.0)}
"""It must be late, and its 20 s are enough for that."""
OPTIONS = Options(grace=10.0)
"""Longer than `nonewrefused` needs to stop by itself, and than a good one needs on a machine that is busy with other tests."""
AT_ONCE = 3
ENGINES = ("runc", "crun", "docker", "podman")
#: Of another processor than this machine's: tests/e2e/test_trials.py (under qemu), test_cpu_level.py, test_runs.py.
ELSEWHERE = ("good-arm64", "hello-arm64", "hello-v4", "cpu-level", "other-index", "good-both")
#: No container can be decided, so there is nothing to look at: the error says the fault.
REFUSED = {"no-command": "no-command", "unknown-user": "bad-user"}
#: What a machine that is busy with other tests may add: the application takes all processors.
TOLERATED = {"burns": {"drain", "ready", "start"}}
RUNNING = frozenset({"memory", "cpu", "pids", "health", "ready", "ports", "drain", "reap", "random-uid"})
"""Of one that does not run for long it is chance whether somebody could look at it."""
IN_WORDS = "what needs it to run"
PROFILE = frozenset({"apparmor"})
"""Where there is AppArmor, it is chance whether somebody sees the profile of one that ends at once."""
MEASURED = frozenset({"cpu"})
"""What a machine that is busy with other tests cannot tell apart, and says so."""
MOST_UNKNOWN = 0.15
"""Of all verdicts on all images under one engine; most of them are of images that cannot be started."""
NAMES = tuple(name for name in apps.verdicts() if name not in ELSEWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A check that must fail, and does not under one engine."""

    engine: str
    image: str
    check: str
    why: str


DIFFERENT = (
    Difference(
        engine="podman",
        image="needsuser",
        check="users",
        why="podman gives each container an `/etc/passwd` with a line for its user",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What `wherry prove` said of one image."""

    verdicts: tuple[Verdict, ...] = ()
    error: str = ""

    def names(self, outcome: str) -> frozenset[str]:
        return frozenset(one.check for one in self.verdicts if one.outcome == outcome)

    def failed(self, name: str) -> frozenset[str]:
        """With the error, if it was one."""
        if self.error:
            return frozenset({f"error {self.error}"})
        return self.names("FAIL") - TOLERATED.get(name, set())

    @property
    def unknown(self) -> frozenset[str]:
        """Those that say something of the image: what this machine cannot show is left out."""
        return frozenset(one.check for one in self.verdicts if one.outcome == "UNKNOWN" and not one.host)

    def why(self, *checks: str) -> list[Verdict]:
        return [one for one in self.verdicts if one.check in checks]


def deserved(name: str, engine: str) -> frozenset[str]:
    """What must fail, and nothing else may."""
    if name in REFUSED:
        return frozenset({f"error {REFUSED[name]}"})
    return frozenset(apps.verdicts()[name].fails) - {
        one.check for one in DIFFERENT if (one.engine, one.image) == (engine, name)
    }


def proved(place: str, engine: Case, wanted: Expectations = WANTED) -> Outcome:
    run = RunRequest(subject=place, options=OPTIONS, engine=engine.engine)
    try:
        verdicts = prove(ProveRequest(run=run, expectations=wanted), engine.machine).verdicts
        if any(map(was_kept_from_asking, verdicts)):
            again = prove(ProveRequest(run=run, expectations=wanted, only=("drain",)), engine.machine).verdicts
            verdicts = tuple({one.check: one for one in (*verdicts, *again)}.values())
        return Outcome(verdicts=verdicts)
    except WherryError as error:
        return Outcome(error=error.name)


def was_kept_from_asking(verdict: Verdict) -> bool:
    """What other tests do to one that must ask at the right moment; it says so, and may try again."""
    return verdict.check == "drain" and verdict.outcome == "UNKNOWN" and "before its end" in verdict.summary


@contextmanager
def outcomes(engine: Case, names: tuple[str, ...] = NAMES) -> Iterator[dict[str, Future[Outcome]]]:
    """All of them, several at a time: a proof mostly waits."""
    places = {name: apps.place(name) for name in names}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(proved, place, engine, WANTED_OF.get(name, WANTED)) for name, place in places.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one image got under each engine, as the page says."""

    failed: dict[str, frozenset[str]] = field(default_factory=dict)
    unknown: dict[str, frozenset[str]] = field(default_factory=dict)


def rows(text: str | None = None) -> dict[str, Row]:
    """Image → its row."""
    found: dict[str, Row] = {}
    for line in (PAGE.read_text() if text is None else text).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `"):
            continue
        row = found.setdefault(cells[0].strip("`"), Row())
        if len(cells) == 2 + len(ENGINES):
            row.failed.update({one: _names(cell) for one, cell in zip(ENGINES, cells[2:], strict=True) if cell != "?"})
            row.unknown.update(dict.fromkeys(row.failed, frozenset()))
        else:
            parts = dict(part.split(": ", 1) for part in cells[2].split("; ") if part)
            row.unknown.update({one: _names(cells[1]) | _names(parts.get(one, "")) for one in row.failed})
    return found


def unlisted(engine: str, found: dict[str, Outcome]) -> dict[str, frozenset[str]]:
    """UNKNOWNs that the page does not know of: image → checks."""
    listed = rows()
    extra = {}
    for name, one in found.items():
        by_chance = PROFILE | (RUNNING if "start" in one.names("FAIL") else MEASURED)
        extra[name] = one.unknown - listed[name].unknown.get(engine, frozenset()) - by_chance
    return {name: those for name, those in extra.items() if those and name not in TOLERATED}


def write(engine: str, found: dict[str, Outcome]) -> None:
    """The page, with what this engine's images got; only when asked to."""
    if not os.environ.get("WRITE_VERDICTS"):
        return
    known = rows()
    table = {}
    for name, one in found.items():
        row = known.get(name, Row())
        row.failed[engine], row.unknown[engine] = one.failed(name), one.unknown
        table[name] = row
    PAGE.write_text(page(table))


HEAD = """\
# The verdicts that faulty applications get

Each image has one fault, [tests/apps](../tests/apps/README.md) says which checks must fail for it, and no other may. Proved under
runc by `tests/e2e/test_verdicts.py`, under {others} by `tests/oracles/test_verdicts_everywhere.py` (a few of them in
each test run, too); with `WRITE_VERDICTS=1` they write this page. `tests/house/test_proofs.py` compares it with what must be.

## FAIL

| image | its one fault | {engines} |
|---|---|{lines}
"""
MIDDLE = """
## UNKNOWN

What could not be seen, and so is no PASS; without what the machine could not show of any image (AppArmor). Most are of images
that do not start, or end soon: *{words}* is {running}.

| image | under each engine | and under some |
|---|---|---|
"""
END = "\n## What differs between engines, and why\n\n"


def page(table: dict[str, Row]) -> str:
    """The page."""
    head = HEAD.format(others=", ".join(ENGINES[1:]), engines=" | ".join(ENGINES), lines="---|" * len(ENGINES))
    lines = []
    for name, row in table.items():
        cells = (_cell(row.failed[one]) if one in row.failed else "?" for one in ENGINES)
        lines.append(f"| `{name}` | {apps.verdicts()[name].fault} | {' | '.join(cells)} |\n")
    middle = MIDDLE.format(words=IN_WORDS, running=_cell(RUNNING, in_words=False))
    unknown = [_unknown(name, row) for name, row in table.items() if any(row.unknown.values())]
    ends = [f"* `{one.image}` under {one.engine}: `{one.check}` is PASS. {one.why}.\n" for one in DIFFERENT]
    return "".join((head, *lines, middle, *unknown, END, *ends))


def _unknown(name: str, row: Row) -> str:
    common = frozenset.intersection(*row.unknown.values())
    some = {one: those - common for one, those in row.unknown.items()}
    parts = "; ".join(f"{one}: {_cell(those)}" for one, those in some.items() if those)
    return f"| `{name}` | {_cell(common)} | {parts} |\n"


def _cell(names: frozenset[str], *, in_words: bool = True) -> str:
    whole = in_words and names >= RUNNING
    rest = names - RUNNING if whole else names
    order: Callable[[str], int] = [check.name for check in CHECKS].index
    errors = sorted(one for one in rest if one.startswith("error "))
    return ", ".join((*([IN_WORDS] if whole else []), *errors, *sorted(rest - set(errors), key=order)))


def _names(cell: str) -> frozenset[str]:
    found = frozenset(name for name in re.split(r", ", cell) if name)
    return found - {IN_WORDS} | RUNNING if IN_WORDS in found else found
