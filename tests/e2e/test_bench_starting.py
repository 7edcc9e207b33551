"""The containers that the bench races against `wherry run` start from what `--print` and `--bundle` write, and answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench import starting
from bench.sample import Call, measure
from bench.services import Engine
from bench.workshop import Workshop
from tests.support import apps, servers
from tests.support.cli import variables
from tests.support.printed import shell
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """One whose wherry is the one under test, with its image in the store and in Docker."""
    servers.need_root()
    need("go", "git", "runc")
    program = tmp_path / "wherry"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m wherry "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(starting, "wherry_program", lambda: str(program))
    monkeypatch.setattr(starting, "PATH", "/healthz")
    with shell("docker") as where:
        docker = Engine(command=("docker",), environment=tuple(where.variables.items()), daemon=0)
        environment = variables(tmp_path / "home") | {"PATH": os.environ["PATH"]}
        del environment["DOCKER_HOST"]
        made = SimpleNamespace(root=tmp_path, run=f"test-{os.getpid()}", environment=environment, docker=docker)
        found = cast(Workshop, made)
        try:
            starting.wherry(found, "copy", apps.place("good"), f"store:{starting.IMAGE}")
            yield found
        finally:
            starting.clean(found)


@pytest.mark.parametrize("call", [starting.runc_call, starting.docker_call], ids=["runc", "docker"])
def test_a_rival_answers(call: Callable[[Workshop], Call], shop: Workshop, tmp_path: Path) -> None:
    measured = call(shop)
    assert 0 < measure((measured,), tmp_path / "log").wall < 30


def test_what_is_printed_is_split_into_preparations_and_words() -> None:
    script = "wherry copy a b >/dev/null &&\ndocker run --rm \\\n  --name app \\\n  --env 'A=b c' \\\n  image:1 serve\n"
    assert starting.printed(script) == (
        "wherry copy a b >/dev/null &&\ntrue",
        ["--rm", "--env", "A=b c", "image:1", "serve"],
    )
