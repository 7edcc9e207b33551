"""However alike the programs of a repository are called: what files call after them is each one's own, or is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from ruamel.yaml import YAML

from tests.support.applications import API, JOBS
from tests.support.manifests import parsed, running, texts
from wherry.errors import UsageError
from wherry.generate import bake, build_script, makefile
from wherry.generate.ci import files as ci
from wherry.generate.compose import files as compose
from wherry.generate.container_test import files as container_test
from wherry.generate.dockerfile import files as dockerfile
from wherry.model.application import Application
from wherry.model.file import Choice

PIECES = st.sampled_from(("a", "b", "A", "docker", "image", "release", "dev", "run", "build", "2", "c"))
NAMES = st.lists(st.tuples(PIECES, st.sampled_from("-_.")), min_size=1, max_size=3).map(
    lambda pairs: "".join(piece + sign for piece, sign in pairs)[:-1]
)
PATHS = st.lists(st.sampled_from(("/b/c", "/c", "/b-c", "/B/c", "/data")), max_size=2, unique=True).map(tuple)
PROGRAMS = st.lists(st.tuples(NAMES, PATHS), min_size=2, max_size=4, unique_by=lambda one: one[0])


def applications(programs: list[tuple[str, tuple[str, ...]]]) -> tuple[Application, ...]:
    return tuple(
        replace(running(JOBS if volumes else API, volumes=volumes), name=name, image=f"registry.example.com/x/{number}")
        for number, (name, volumes) in enumerate(programs)
    )


def once(names: Iterable[str]) -> None:
    assert [name for name, count in Counter(names).items() if count > 1] == []


def makes(made: tuple[Application, ...]) -> None:
    (file,) = makefile.files(made, Choice(what="makefile"))
    once(name for name in re.findall(r"^([^\s:#=]+):(?!=)", file.text, re.MULTILINE) if not name.startswith("."))
    once(re.findall(r"^(?:export )?(\S+) \??=", file.text, re.MULTILINE))


def bakes(made: tuple[Application, ...]) -> None:
    once(re.findall(r'^target "(.*)"', bake.files(made, Choice(what="bake"))[0].text, re.MULTILINE))


def builds(made: tuple[Application, ...]) -> None:
    once(re.findall(r"^    ('.*')\)$", build_script.files(made, Choice(what="build-script"))[0].text, re.MULTILINE))


def composes(made: tuple[Application, ...]) -> None:
    for variant in compose.PURPOSES:
        (file,) = compose.files(made, Choice(what="compose", variant=variant))
        document = YAML(typ="safe").load(file.text)  # refuses a key that comes twice
        assert len(document["services"]) == len(made) + len({one.kind for app in made for one in app.runs.backing})
        once(re.findall(r"\$\{(\w+_IMAGE):", file.text))
        if variant != "dev":
            own = [document["services"][one.name] for one in made]
            once(mount["source"] for service in own for mount in service.get("volumes", ()))


def clusters(made: tuple[Application, ...]) -> None:
    parsed(texts("plain", *made).values())  # asserts that kind and name come once


def pipelines(made: tuple[Application, ...]) -> None:
    for variant in ("github", "gitlab"):
        (file,) = ci.files(made, Choice(what="ci", variant=variant))
        document = YAML(typ="safe").load(file.text)
        jobs = document.get("jobs") or {name: one for name, one in document.items() if "script" in (one or {})}
        modules = {one.sources.module_directory for one in made}  # each is checked once
        assert len(jobs) == len(modules) + len(made) * (2 if variant == "github" else 3)


def paths(made: tuple[Application, ...]) -> None:
    every = [
        *(one.path for kind in ("debian", "dev") for one in dockerfile.files(made, Choice(what="dockerfile", variant=kind))),
        *(one.path for one in container_test.files(made, Choice(what="container-test"))),
    ]  # fmt: skip
    once(every)


CHECKS: tuple[Callable[[tuple[Application, ...]], None], ...] = (
    makes, bakes, builds, composes, clusters, pipelines, paths
)  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
@settings(deadline=None, max_examples=40)
@given(PROGRAMS)
def test_names_that_meet_are_refused(
    check: Callable[[tuple[Application, ...]], None], programs: list[tuple[str, tuple[str, ...]]]
) -> None:
    try:
        check(applications(programs))
    except UsageError as error:
        assert error.name in ("same-name", "kubernetes-name"), error  # noqa: PT017


MEET = (
    (makes, (("a-b", ()), ("a_b", ()))),
    (makes, (("a", ()), ("docker", ()))),
    (composes, (("a-b", ()), ("a_b", ()))),
    (composes, (("a", ("/b/c",)), ("a-b", ("/c",)))),
    (clusters, (("a", ("/b/c",)), ("a-b", ("/c",)))),
    (paths, (("a", ()), ("a.dev", ()))),
    (bakes, (("a", ()), ("a-release", ()))),
    (pipelines, (("a.b", ()), ("a-b", ()))),
)


@pytest.mark.parametrize(("check", "programs"), MEET)
def test_names_that_met(
    check: Callable[[tuple[Application, ...]], None], programs: tuple[tuple[str, tuple[str, ...]], ...]
) -> None:
    for order in (1, -1):
        with pytest.raises(UsageError) as caught:
            check(applications(list(programs[::order])))
        assert caught.value.name == "same-name"
