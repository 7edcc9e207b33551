"""A small repository as analysis would describe it, and plans made from it with a wherry.toml. Touches nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from wherry.errors import Several, WherryError
from wherry.model.place import Place
from wherry.model.plan import Decision, ImagePlan, Plan
from wherry.model.project import CgoUse, Inferred, Main, Module, Project, Vcs
from wherry.model.toolchain import Toolchain
from wherry.plan import read
from wherry.plan.inputs import PlanInputs, Request
from wherry.plan.make import make_plan
from wherry.plan.tiers import Tier

MODULE = "example.com/shop"
PLACE = Place(file="cmd/api/main.go", line=7)
VCS = Vcs(
    revision="0123456789abcdef0123456789abcdef01234567",
    tag="v1.4.0",
    version="1.4.0",
    time=1_767_323_045,
    branch="feature/new cart",
    source="https://github.com/example/shop",
)
TOOLCHAIN = Toolchain(
    go="/usr/local/go/bin/go", version="go1.26.8", root="/usr/local/go", origin="path", host_architecture="amd64"
)


def main(name: str = "api", directory: str = "", **more: Any) -> Main:
    """`./cmd/NAME` of the module."""
    folder = directory or f"cmd/{name}"
    path = MODULE if folder == "." else f"{MODULE}/{folder}"
    return Main(**{"import_path": path, "name": name, "module": MODULE, "directory": folder, **more})


def project(*mains: Main, **more: Any) -> Project:
    """A repository of one module."""
    modules = (Module(path=MODULE, directory=".", go="1.24"),)
    known = {
        "root": "/src/shop",
        "working_directory": "/src/shop",
        "modules": modules,
        "vcs": VCS,
        "licences": ("MIT",),
    }
    return Project(**{**known, "mains": mains or (main(),), **more})


def inputs(toml: str = "", *, trusted: bool = False, **more: Any) -> PlanInputs:
    """Inputs with `toml` as the repository's file; `allow` is the user's --toolchain, all else a field."""
    if "allow" in more:
        return _with_toolchain(
            inputs(toml, trusted=trusted, **{key: one for key, one in more.items() if key != "allow"}), more["allow"]
        )
    tiers: tuple[Tier, ...] = (read.parse(toml, "wherry.toml", trusted=trusted),) if toml else ()
    return PlanInputs(
        project=more.pop("project", project()),
        toolchain=more.pop("toolchain", TOOLCHAIN),
        tiers=(*tiers, *more.pop("tiers", ())),
        programs=more.pop("programs", (("git", "/usr/bin/git"), ("cc", "/usr/bin/cc"))),
        environment=more.pop("environment", ()),
        request=Request(**more),
    )


def _with_toolchain(made: PlanInputs, asked: str) -> PlanInputs:
    return msgspec.structs.replace(made, request=msgspec.structs.replace(made.request, toolchain=asked))


def plan(toml: str = "", **more: Any) -> Plan:
    """The plan of `inputs`."""
    return make_plan(inputs(toml, **more))


def image(toml: str = "", **more: Any) -> ImagePlan:
    """The only image of the plan."""
    (made,) = plan(toml, **more).images
    return made


def refused(toml: str = "", **more: Any) -> WherryError:
    """The one error that planning ends with; its words are short and complete."""
    with pytest.raises(WherryError) as caught:
        plan(toml, **more)
    assert not isinstance(caught.value, Several), [str(one) for one in caught.value.errors]
    assert caught.value.where, f"{caught.value.message} has no place"
    return caught.value


def decision(made: Plan, name: str) -> Decision:
    """The one decision called `name`, of the plan or its first image."""
    (found,) = (one for one in (*made.decisions, *made.images[0].decisions) if one.name == name)
    return found


def findings(made: Plan) -> dict[str, str]:
    """Name → message of all findings."""
    return {one.name: one.message for one in (*made.findings, *(each for one in made.images for each in one.findings))}


def inferred(*facts: tuple[str, str] | tuple[str, str, str]) -> tuple[Inferred, ...]:
    """(kind, value[, certainty]) as analysis would tell them."""
    return tuple(
        Inferred(kind=one[0], value=one[1], place=PLACE, certainty=one[2] if len(one) > 2 else "guess") for one in facts
    )


def toolchain(version: str = "go1.26.8", **environment: str) -> Toolchain:
    """The machine's Go with the user's own settings."""
    return msgspec.structs.replace(TOOLCHAIN, version=version, environment=tuple(sorted(environment.items())))


SQLITE = (
    CgoUse(import_path="github.com/mattn/go-sqlite3", place=Place(file="internal/store/db.go", line=12, column=2)),
)
