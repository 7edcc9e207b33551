"""A proof as people read it: passes tight, failures last with what was seen, one closing sentence. Values in, lines out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wherry.cli.output import Output, wrapped

if TYPE_CHECKING:
    from wherry.flows.prove import Proof
    from wherry.model.verdict import Verdict

ORDER = ("PASS", "SKIP", "UNKNOWN", "FAIL")
WIDTH = 9
"""Of the outcome's column."""


def show_proof(proof: Proof, output: Output, *, everything: bool = False) -> None:
    """The whole report."""
    page = output.on_stdout()
    page.line(f"{proof.subject} on {proof.engine}")
    page.line()
    width = max(len(verdict.check) for verdict in proof.verdicts) + 2
    for outcome in ORDER:
        for verdict in proof.verdicts:
            if verdict.outcome == outcome and (outcome != "SKIP" or everything):
                _show(verdict, page, width)
    page.line(sentence(proof))


def _show(verdict: Verdict, page: Output, width: int) -> None:
    head = f"{verdict.outcome:<{WIDTH}}{verdict.check:<{width}}"
    lines = wrapped(verdict.summary, page.width - len(head))
    for number, line in enumerate(lines or [""]):
        page.line_as_is((head if number == 0 else " " * len(head)) + line)
    if verdict.outcome == "FAIL":
        rows = [("seen", text) for text in verdict.seen] + [("so", text) for text in verdict.concluded]
        rows += [("where", text) for text in verdict.where] + [("next", text) for text in verdict.next]
        page.details(rows)


def sentence(proof: Proof) -> str:
    """One sentence that can be read aloud: `14 passed, 1 failed, 1 unknown in 4.2 s; ...`."""
    words = {"PASS": "passed", "FAIL": "failed", "UNKNOWN": "unknown", "SKIP": "not applicable"}
    counts = ", ".join(f"{proof.count(outcome)} {word}" for outcome, word in words.items() if proof.count(outcome))
    bad = next((verdict for verdict in proof.verdicts if verdict.outcome == "FAIL"), None)
    name = proof.observed.container.name
    end = f"; {name}: {bad.summary}" if bad else ""
    return f"{counts} in {proof.seconds:.1f} s{end}"
