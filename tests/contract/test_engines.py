"""One contract of all engines: the same Container is the same container, as the kernel sees it, and fails in the same words."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import odd_apps
from tests.support.contained import Case, case, image
from tests.support.kernel_facts import mounts_of, seen, wanted
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.flows import attend
from wherry.model.container import Container, Options
from wherry.runtime import engines
from wherry.runtime.client import name_of

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

ENGINES = ("runc", "crun", "docker", "podman")
#: What an engine cannot do, fact by fact. A fact that differs and is not here fails; so does one that is here and does not differ.
DIFFERENT: dict[str, dict[str, str]] = {
    "docker": {"umask": "there is no flag for it"},
}
#: The same with a capability.
AMBIENT = {"docker": frozenset({"CapEff", "CapPrm", "CapInh", "CapAmb"})}
MOST_DIFFERENT = 5
"""Of about 30 facts, for any engine."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Each engine in turn."""
    need(request.param)
    with case(request.param, tmp_path_factory.mktemp("engine")) as made:
        yield made


def differences(pid: int, container: Container) -> dict[str, tuple[object, object]]:
    """Facts that are otherwise than decided: what was wanted, what was seen."""
    decided, found = wanted(container), seen(pid, container)
    assert decided.keys() == found.keys()
    assert len(decided) > 25
    return {name: (decided[name], found[name]) for name in decided if decided[name] != found[name]}


def test_what_was_decided_is_what_the_kernel_sees(engine: Case) -> None:
    options = Options(
        memory="64m", cpus="0.5", pids=50, files=512, hostname="box", directory="/app", tmpfs=("/scratch:1m",),
        environment=("GREETING=a 'b' \"c\"", "LINES=one\ntwo", "EMPTY=", "PLAIN=#1"), arguments=("wait", "two words", ""),
    )  # fmt: skip
    with engine.started(image(), options) as running:
        running.said("host box")
        found = differences(running.pid, running.container)
    assert found.keys() == DIFFERENT.get(engine.engine, {}).keys(), found
    assert len(found) <= MOST_DIFFERENT
