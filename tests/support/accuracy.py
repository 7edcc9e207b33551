"""How well wherry reads sources: labels and repositories in, docs/analysis-accuracy.md out; starts git.

    python -m tests.support.accuracy

writes the page. Sources come from GitHub at the commits that the labels name, or from $ANALYSIS_STUDY/NAME where that is set.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.analysis import look
from wherry.model.project import Main

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "tests/data/labels.toml"
PAGE = ROOT / "docs/analysis-accuracy.md"
KINDS = ("port", "health-route", "readiness-route", "graceful-stop", "tls", "zones", "version-variable")
SETS = ("tuning", "held-out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One main, as a person read it."""

    repository: str
    commit: str
    package: str
    set: str
    facts: tuple[tuple[str, str, str], ...]
    optional: frozenset[tuple[str, str]]

    @property
    def name(self) -> str:
        return f"{self.repository.removeprefix('github.com/')} {'' if self.package == '.' else self.package}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One fact: right, wrong or missed; `placed` None where no place is labelled."""

    label: Label
    kind: str
    value: str
    verdict: str
    placed: bool | None = None


def labels() -> tuple[Label, ...]:
    rows = tomllib.loads(LABELS.read_text())["main"]
    return tuple(
        Label(
            repository=row["repository"],
            commit=row["commit"],
            package=row["package"],
            set=row["set"],
            facts=tuple((kind, value, place) for kind, value, place in row["facts"]),
            optional=frozenset((kind, value) for kind, value, _ in row.get("optional", ())),
        )
        for row in rows
    )


def first_sight() -> dict[str, list[int]]:
    return dict(tomllib.loads(LABELS.read_text())["first-sight"])


def fingerprint() -> str:
    return hashlib.sha256(LABELS.read_bytes()).hexdigest()[:16]


def study() -> tuple[Outcome, ...]:
    """Every outcome for every label."""
    with tempfile.TemporaryDirectory() as scratch:
        found: list[Outcome] = []
        for label in labels():
            folder = sources(label, Path(scratch))
            found += judge(label, look(folder, f"./{label.package}", go=False).mains[0])
        return tuple(found)


def judge(label: Label, main: Main) -> Iterator[Outcome]:
    got = {(one.kind, one.value): one.place for one in main.inferred if one.kind in KINDS}
    for kind, value, place in label.facts:
        here = got.pop((kind, value), None)
        placed = f"{here.file}:{here.line}" == place if here is not None and place else None
        yield Outcome(label=label, kind=kind, value=value, verdict="right" if here else "missed", placed=placed)
    for kind, value in got:
        if (kind, value) not in label.optional:
            yield Outcome(label=label, kind=kind, value=value, verdict="wrong")


def sources(label: Label, scratch: Path) -> Path:
    """A checkout of the label's commit."""
    name = label.repository.rpartition("/")[2]
    if "ANALYSIS_STUDY" in os.environ:
        return Path(os.environ["ANALYSIS_STUDY"], name)
    folder = scratch / name
    if not folder.exists():
        folder.mkdir()
        for words in (
            ("init", "-q"),
            ("fetch", "-q", "--depth=1", f"https://{label.repository}", label.commit),
            ("checkout", "-q", "FETCH_HEAD"),
        ):
            subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def counts(outcomes: tuple[Outcome, ...], kind: str, chosen: str) -> tuple[int, int, int]:
    """Right, wrong, missed of one kind in one half."""
    seen = Counter(one.verdict for one in outcomes if one.kind == kind and one.label.set == chosen)
    return seen["right"], seen["wrong"], seen["missed"]


def row(name: str, right: int, wrong: int, missed: int) -> str:
    return f"| {name} | {right} | {wrong} | {missed} | {share(right, right + wrong)} | {share(right, right + missed)} |"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def table(title: str, rows: dict[str, tuple[int, int, int]]) -> str:
    whole = tuple(map(sum, zip(*rows.values(), strict=True)))
    head = f"| {title} | right | wrong | missed | precision | recall |\n|---|---|---|---|---|---|\n"
    return head + "\n".join((*(row(kind, *numbers) for kind, numbers in rows.items()), row("**all**", *whole)))


def page(outcomes: tuple[Outcome, ...]) -> str:
    now = {chosen: {kind: counts(outcomes, kind, chosen) for kind in KINDS} for chosen in SETS}
    first = {kind: (numbers[0], numbers[1], numbers[2]) for kind, numbers in first_sight().items()}
    placed = [one.placed for one in outcomes if one.placed is not None]
    failures = [one for one in outcomes if one.verdict != "right"]
    return TEXT.format(
        mains=len(labels()),
        repositories=len({one.repository for one in labels()}),
        fingerprint=fingerprint(),
        first=table("held-out, at first sight", first),
        held=table("held-out, now", now["held-out"]),
        tuning=table("tuning", now["tuning"]),
        placed=f"{sum(placed)} of {len(placed)}",
        failures="\n".join(f"* {one.label.name}: {one.verdict} `{one.kind}` {one.value}" for one in failures)
        or "* none",
        sources="\n".join(f"| {one.name} | {one.commit[:12]} | {one.set} | {len(one.facts)} |" for one in labels()),
    )


TEXT = """# How well wherry reads sources

What wherry infers of a program (ports, health routes, graceful stop, ...) was compared with what a person read in the sources of
{repositories} real repositories ({mains} programs). The labels, each with file and line, are in `tests/data/labels.toml`
(sha256 {fingerprint}...); `python -m tests.support.accuracy` computes this page, and `./test --oracles` checks it.

*Precision*: how many of the facts that wherry states are true. *Recall*: how many of the true ones it states. A number from ten
repositories is a hint, not a law: one fact more or less moves a row by ten points or more.

Half of the repositories were at hand while the rules were written, so they show little. The other half was labelled first
and then looked at once: that first run is the fair number.

{first}

Afterwards rules were added for what it showed (addresses through results of functions and pointers, `path.Join`, test helpers in
the main package, names like `BuildVersion`); so the next table is no longer held out.

{held}

{tuning}

Where a label names a line, the place that wherry gives is that line in {placed} cases.

## What is still wrong

{failures}

## Repositories

| program | commit | half | facts |
|---|---|---|---|
{sources}

## What is not measured

Labels cover programs with an ordinary `main`; ports that come only from a configuration file, UDP, and routes that are registered
by a library are not in them. `cgo` is not here because it is checked against Go itself (`tests/unit/analyze/test_cgo.py`).
"""


if __name__ == "__main__":
    PAGE.write_text(page(study()))
