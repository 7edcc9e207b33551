"""Go's variables for one compilation. Decisions in, sorted pairs out; touches nothing.

What says where modules come from (GOPROXY and so on) is the compile room's; GOENV=off and an empty GOFLAGS keep out what was not
decided here (A07).
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from wherry.errors import UsageError
from wherry.model.plan import Decision, Pairs
from wherry.model.project import Main, Project
from wherry.oci.platform import Platform
from wherry.plan import platforms
from wherry.plan.answer import Answer, Facts, because, refuse, where
from wherry.plan.texts import pairs
from wherry.plan.tiers import Keys

#: What a file of the repository may set: these tune the compiler or choose code, and start no program.
ALLOWED: Final = ("GOEXPERIMENT", "GOFIPS140", "GOGC", "GOMAXPROCS", "GOMEMLIMIT")
#: Set by wherry, with what steers each.
OWN: Final = {
    "GOOS": "platforms",
    "GOARCH": "platforms",
    **{variable: "platforms" for variable, _ in platforms.VARIABLES.values()},
    "CGO_ENABLED": "build.cgo",
    "GOFLAGS": "build.flags",
    "GOPRIVATE": "build.private",
    "GOENV": "",
    "GOTOOLCHAIN": "",
    "GOWORK": "",
    "GOROOT": "",
    "PATH": "",
}
_FIPS: Final = re.compile(r"off|latest|inprocess|certified|v\d+\.\d+\.\d+", re.ASCII)
_WORD: Final = re.compile(r"[a-z0-9]+", re.ASCII)
#: A host and maybe a path; wildcards only after the host, so that a repository cannot switch the checksum database off for all.
_PRIVATE: Final = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[^,\s]*)?", re.ASCII)


def decide(facts: Facts, toolchain: str) -> Answer[Pairs]:
    """The variables that are the same for all platforms. UsageError [env-refused], [bad-setting]."""
    project = facts.inputs.project
    fixed = (("GOENV", "off"), ("GOFLAGS", ""), ("GOTOOLCHAIN", toolchain), ("GOWORK", workspace(project)))
    parts = (_experiment(facts), _fips(facts), _private(facts), _own(facts))
    chosen = tuple(pair for part in parts for pair in part.value)
    return Answer(value=(*fixed, *chosen), decisions=tuple(one for part in parts for one in part.decisions))


def directory(project: Project, main: Main) -> str:
    """Where `go build` of `main` is started: the workspace's folder, or its module's."""
    if project.remote:
        return project.working_directory
    if project.workspace:
        return posixpath.normpath(posixpath.join(project.root, posixpath.dirname(project.workspace)))
    module = next((one for one in project.modules if one.path == main.module), None)
    return posixpath.normpath(posixpath.join(project.root, module.directory)) if module else project.working_directory


def workspace(project: Project) -> str:
    """The value of GOWORK: never found by Go itself, which would look above the repository too."""
    return posixpath.join(project.root, project.workspace) if project.workspace and not project.remote else "off"


def ignored(user: Pairs, used: tuple[Platform, ...]) -> tuple[str, ...]:
    """The user's own variables that choose another platform than the plan does."""
    wanted: dict[str, set[str]] = {"GOOS": set(), "GOARCH": set()}
    for platform in used:
        for name, value in platforms.go_variables(platform):
            wanted.setdefault(name, set()).add(value)
    return tuple(
        f"{name}={value}" for name, value in user if name in wanted and value.partition(",")[0] not in wanted[name]
    )


def _experiment(facts: Facts) -> Answer[Pairs]:
    given = facts.settings.build.experiment
    if given is None:
        return _inherited(facts, "GOEXPERIMENT")
    for number, word in enumerate(given):
        if not _WORD.fullmatch(word):
            refuse(
                facts.settings,
                ("build", "experiment", number),
                f"{word[:40]!r} is no Go experiment",
                next="for instance jsonv2",
            )
    return _said(facts, "experiment", (("GOEXPERIMENT", ",".join(given)),))


def _fips(facts: Facts) -> Answer[Pairs]:
    given = facts.settings.build.fips140
    if given is None:
        return _inherited(facts, "GOFIPS140")
    if not _FIPS.fullmatch(given):
        refuse(
            facts.settings,
            ("build", "fips140"),
            f"{given[:40]!r} is no value of GOFIPS140",
            next="off, latest, or a version like v1.0.0",
        )
    return _said(facts, "fips140", (("GOFIPS140", given),))


def _private(facts: Facts) -> Answer[Pairs]:
    """The settings' modules beside the user's own GOPRIVATE."""
    given = facts.settings.build.private or ()
    for number, pattern in enumerate(given):
        keys: Keys = ("build", "private", number)
        source = facts.settings.source(*keys)
        if facts.inputs.request.untrusted and not source.trusted:
            raise UsageError(
                "env-refused",
                "--untrusted checks every module publicly",
                where=where(source, keys),
                next="leave it out",
            )
        if not _PRIVATE.fullmatch(pattern) and not (source.trusted and pattern and "," not in pattern):
            refuse(
                facts.settings,
                keys,
                f"{pattern[:60]!r} is no module path with a host",
                next="like git.example.com/team",
            )
    if not given:
        return Answer(value=())
    user = dict(facts.inputs.toolchain.environment).get("GOPRIVATE", "")
    return _said(facts, "private", (("GOPRIVATE", ",".join(filter(None, (user, *given)))),))


def _own(facts: Facts) -> Answer[Pairs]:
    given = facts.settings.build.env
    for name in given or {}:
        keys: Keys = ("build", "env", name)
        source = facts.settings.source(*keys)
        if name in OWN:
            steers = OWN[name]
            step = f"use {steers}" if steers else "leave it out"
            raise UsageError("env-refused", f"{name} is set by wherry itself", where=where(source, keys), next=step)
        if not source.trusted and name not in ALLOWED:
            raise UsageError(
                "env-refused",
                f"a file of the repository may not set {name} for Go",
                where=where(source, keys),
                why="it could run programs or change where modules come from",
                next=f"give it yourself: WHERRY_BUILD_ENV={name}=...",
            )
    return _said(facts, "env", pairs(facts.settings, ("build", "env"), given)) if given else Answer(value=())


def _inherited(facts: Facts, name: str) -> Answer[Pairs]:
    value = dict(facts.inputs.toolchain.environment).get(name, "")
    if not value:
        return Answer(value=())
    decision = Decision(
        name="go-environment", value=f"{name}={value}", reason="your own Go setting", origin="environment"
    )
    return Answer(value=((name, value),), decisions=(decision,))


def _said(facts: Facts, key: str, value: Pairs) -> Answer[Pairs]:
    source = facts.settings.source("build", key)
    reason, origin = because(source, "")
    shown = " ".join(f"{name}={one}" for name, one in value)
    decision = Decision(name="go-environment", value=shown, reason=reason, origin=origin, place=source.place)
    return Answer(value=value, decisions=(decision,))
