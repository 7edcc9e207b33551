"""The application's version: the module's, or git's, or none; and what a tag can hold of it. Touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.model.finding import Finding
from wherry.model.plan import Decision
from wherry.model.project import Vcs
from wherry.plan.answer import Answer
from wherry.plan.inputs import PlanInputs

UNKNOWN: Final = "latest"
LONGEST: Final = 128
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)


def decide(inputs: PlanInputs) -> Answer[str]:
    """The version as people write it, with `+dirty` where that is so; empty when nothing is known."""
    project = inputs.project
    if project.version:
        return _answer(project.version, f"version of {project.remote.partition('@')[0]}")
    if project.vcs is None:
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
    version = project.vcs.version or f"0.0.0-{project.vcs.revision[:12]}"
    reason = f"git tag {project.vcs.tag}" if project.vcs.tag else "git, which has no version tag yet"
    answer = _answer(version, reason)
    return Answer(value=version, decisions=answer.decisions, findings=_dirty(project.vcs, version))


def tag(text: str) -> str:
    """`text` as a legal tag: what no tag may hold becomes `-` (distribution-spec, pulling manifests)."""
    return _FOREIGN.sub("-", text).lstrip(".-")[:LONGEST] or UNKNOWN


def _answer(version: str, reason: str) -> Answer[str]:
    return Answer(value=version, decisions=(Decision(name="version", value=version, reason=reason, origin="found"),))


def _dirty(vcs: Vcs, version: str) -> tuple[Finding, ...]:
    if not vcs.dirty:
        return ()
    what = (
        "some files are"
        if not vcs.changed_files
        else f"{vcs.changed_files} file{'s are' if vcs.changed_files != 1 else ' is'}"
    )
    return (
        Finding(name="dirty-tree", message=f"{what} not committed; version is {version}", next="git status --short"),
    )
