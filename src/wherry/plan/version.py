"""The application's version: the module's, or git's, or none; and what a tag can hold of it. Touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.model.finding import Finding
from wherry.model.plan import Decision
from wherry.model.project import Vcs
from wherry.plan.answer import Answer, Ledger
from wherry.plan.inputs import PlanInputs

UNKNOWN: Final = "latest"
LONGEST: Final = 128
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)


def decide(inputs: PlanInputs, module: str) -> Answer[str]:
    """The version of a module as people write it, with `+dirty` where that is so; empty when nothing is known."""
    project = inputs.project
    if project.version:
        return _answer(project.version, f"version of {project.remote.partition('@')[0]}")
    known = project.version_of(module)
    if project.vcs is None or known is None:
        finding = Finding(
            name="no-version",
            message="there is no git repository here, so the image is tagged latest and names no revision",
            severity="note",
            next="git init, commit and tag, or name the image with -t NAME:VERSION",
        )
        told = next((one for one in project.findings if one.name.startswith("git-")), None)
        decision = Decision(
            name="version", value=UNKNOWN, reason=told.message[:60] if told else "no git repository here"
        )
        return Answer(value="", decisions=(decision,), findings=() if told else (finding,))
    version = known.version or f"0.0.0-{project.vcs.revision[:12]}"
    return _answer(version, f"git tag {known.tag}" if known.tag else "git, which has no version tag yet")


def of_each(inputs: PlanInputs, modules: tuple[str, ...], ledger: Ledger) -> dict[str, Answer[str]]:
    """Module → its version, told once in `ledger` where all have the same, else left to be told with each image."""
    each = {module: decide(inputs, module) for module in modules}
    first = next(iter(each.values()))
    same = all(one.value == first.value for one in each.values())
    ledger.findings += (*first.findings, *_dirty(inputs.project.vcs, first.value if same else ""))
    if not same:
        return each
    ledger.decisions += first.decisions
    return {module: Answer(value=one.value) for module, one in each.items()}


def tag(text: str) -> str:
    """`text` as a legal tag: what no tag may hold becomes `-` (distribution-spec, pulling manifests)."""
    return _FOREIGN.sub("-", text).lstrip(".-")[:LONGEST] or UNKNOWN


def _answer(version: str, reason: str) -> Answer[str]:
    return Answer(value=version, decisions=(Decision(name="version", value=version, reason=reason, origin="found"),))


def _dirty(vcs: Vcs | None, version: str) -> tuple[Finding, ...]:
    if vcs is None or not vcs.dirty:
        return ()
    count = vcs.changed_files
    what = "some files are" if not count else f"{count} file{'s are' if count != 1 else ' is'}"
    what += f" not committed; {f'version is {version}' if version else 'versions end in +dirty'}"
    return (Finding(name="dirty-tree", message=what, next="git status --short"),)
