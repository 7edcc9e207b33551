"""A proof as people read it: passes tight, failures last with what was seen, one closing sentence. Values in, lines out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from wherry.cli.columns import wrapped
from wherry.cli.output import Output
from wherry.judge.policy import counts

if TYPE_CHECKING:
    from wherry.flows.prove import Proof
    from wherry.model.container import Limits
    from wherry.model.verdict import Verdict

WIDTH = 9
"""Of the outcome's column."""
LONGEST = 16
"""Characters of a name that has a column; a test of a file may have more, and then begins a sentence."""
PASSES = 6
"""Passes that are shown; --all shows all."""
WORDS = {"PASS": "passed", "FAIL": "failed", "UNKNOWN": "unknown", "SKIP": "not applicable"}


def show_proof(proof: Proof, output: Output, *, everything: bool = False) -> None:
    """The whole report: the subject, passes, what does not count, what is unknown, what failed, the sentence."""
    page = output.on_stdout()
    page.line(head(proof))
    page.line()
    width = max((len(one.check) for one in proof.verdicts if len(one.check) <= LONGEST), default=0) + 2
    passes = [verdict for verdict in proof.verdicts if verdict.outcome == "PASS"]
    skips = [verdict for verdict in proof.verdicts if verdict.outcome == "SKIP"]
    shown = passes + skips if everything else passes[:PASSES]
    for verdict in shown:
        _row(verdict, page, width)
    if len(shown) < len(passes) + len(skips):
        page.line_as_is(f"{'':<{WIDTH}}... {len(passes) + len(skips) - len(shown)} more: --all")
    for verdict in proof.verdicts:
        if verdict.waived:
            _row(verdict, page, width)
            page.details((("but", verdict.waived),))
    for outcome in ("UNKNOWN", "FAIL"):
        _reasoned(tuple(one for one in proof.verdicts if counts(one, outcome)), page, width)
    page.line(sentence(proof))
    for finding in proof.findings:
        output.finding(finding)


def _reasoned(verdicts: tuple[Verdict, ...], page: Output, width: int) -> None:
    """With what was seen; what has one reason for several checks has it once, and its next step behind the last."""
    for number, verdict in enumerate(verdicts):
        again = verdict.outcome == "UNKNOWN" and any(one.summary == verdict.summary for one in verdicts[:number])
        _row(replace(verdict, summary="for the same reason") if again else verdict, page, width)
        if verdict.outcome == "FAIL" or all(one.summary != verdict.summary for one in verdicts[number + 1 :]):
            _evidence(verdict, page)


def head(proof: Proof) -> str:
    """`podinfo:6.9.1@sha256:... on runc 1.1.5, linux 6.12, amd64, 2 CPUs, 256 MiB`: evidence of what, and where it was seen."""
    return ", ".join((f"{proof.subject} on {proof.engine}", proof.system, *_limits(proof.observed.container.limits)))


def sentence(proof: Proof) -> str:
    """One sentence that can be read aloud: `14 passed, 1 failed, 1 unknown in 4.2 s; ...`."""
    totals = [f"{proof.count(outcome)} {word}" for outcome, word in WORDS.items() if proof.count(outcome)]
    accepted = sum(bool(verdict.waived) for verdict in proof.verdicts)
    totals += [f"{accepted} accepted"] if accepted else []
    bad = next((verdict for verdict in proof.verdicts if counts(verdict, "FAIL")), None)
    end = f"; {title(proof)}: {bad.summary}" if bad else ""
    return f"{', '.join(totals) or 'nothing looked at'} in {proof.seconds:.1f} s{end}"


def title(proof: Proof) -> str:
    """What people call it: podinfo."""
    return proof.observed.container.name


def _row(verdict: Verdict, page: Output, width: int) -> None:
    start = f"{verdict.outcome:<{WIDTH}}{verdict.check:<{width}}"
    if len(verdict.check) > LONGEST:
        start = f"{verdict.outcome:<{WIDTH}}{verdict.check}: "
        lines = wrapped(start + verdict.summary, page.width, indent=" " * WIDTH)
    else:
        inner = wrapped(verdict.summary, page.width - len(start)) or [""]
        lines = [start + inner[0], *(" " * len(start) + line for line in inner[1:])]
    for line in lines:
        page.line_as_is(line)


def _evidence(verdict: Verdict, page: Output) -> None:
    rows: list[tuple[str, str]] = []
    if verdict.outcome == "FAIL":
        rows += [("seen", text) for text in verdict.seen] + [("so", text) for text in verdict.concluded]
        rows += [("where", text) for text in verdict.where]
    rows += [("next" if number == 0 else "or", text) for number, text in enumerate(verdict.next)]
    page.details(rows)


def _limits(limits: Limits) -> tuple[str, ...]:
    cpus = f"{limits.cpus:g} CPU{'' if limits.cpus == 1 else 's'}" if limits.cpus else ""
    memory = f"{limits.memory / (1 << 20):g} MiB" if limits.memory else ""
    return tuple(one for one in (cpus, memory) if one) or ("no limits",)
