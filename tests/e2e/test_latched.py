"""Programs that end before anybody can look, seen at their start, under each engine; and a start that leads to no good health,
which no other look waits for again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps
from tests.support.contained import Case, case, image
from tests.support.tools import need
from wherry.flows import looks
from wherry.flows.container import RunRequest, make
from wherry.flows.looks.latched import latched
from wherry.flows.looks.running import running
from wherry.flows.looks.strangers import stranger
from wherry.flows.prove import ProveRequest, prove
from wherry.flows.session import Session
from wherry.model.container import Options
from wherry.model.observation import Expectations, Identity, Routes, Start, Unseen
from wherry.model.trials import Stranger

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

AT_SIGHT = ("start", "user", "capabilities", "privileges", "seccomp", "isolation")
ENDS = Options(arguments=("exit", "0"))


@pytest.fixture(scope="module", params=["runc", "crun", "docker", "podman"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    need(request.param, "go", "gcc")
    with case(request.param, tmp_path_factory.mktemp("latched")) as made:
        yield made


@contextlib.contextmanager
def scene_of(one: Case, place: str, options: Options, start: float = 10.0) -> Iterator[looks.Scene]:
    with Session(one.machine) as session:
        request = RunRequest(subject=place, engine=one.engine, options=options)
        yield looks.Scene(
            made=make(request, one.machine, session),
            machine=one.machine,
            expectations=Expectations(start=start),
            run=request,
            session=session,
            tester=looks.Tester(one.machine, session.scratch),
        )


def left(scene: looks.Scene) -> list[Path]:
    """Copies of programs, and containers."""
    run = Path(scene.made.run)
    return [*run.glob("programs/latched/*"), *run.glob("containers/*")]


def test_who_ends_at_once_is_seen_at_its_start(engine: Case) -> None:
    with scene_of(engine, image(), ENDS) as scene:
        seen, wanted = latched(scene), scene.made.container
    assert isinstance(seen, Identity), seen
    assert (seen.uid, seen.no_new_privileges, seen.seccomp) == (wanted.user.uid, True, 2)
    assert {mask for _, mask in seen.capabilities} == {0}
    assert {"mnt", "pid", "ipc", "uts", "cgroup", "net"} <= set(seen.namespaces or ())
    assert left(scene) == []


def test_what_a_start_could_still_change_is_not_said_to_be_seen(engine: Case) -> None:
    """Without no-new-privileges the program may be setuid."""
    with scene_of(engine, image(), Options(arguments=("exit", "0"), relax=("privileges",))) as scene:
        assert isinstance(latched(scene), Unseen)
    assert left(scene) == []


def test_a_proof_of_one_that_ends_at_once_is_whole(engine: Case) -> None:
    request = ProveRequest(run=RunRequest(subject=image(), engine=engine.engine, options=ENDS), only=AT_SIGHT)
    verdicts = prove(request, engine.machine).verdicts
    assert [(one.check, one.outcome) for one in verdicts] == [(name, "PASS") for name in AT_SIGHT], verdicts


def test_nobody_waits_again_for_a_health_that_was_seen_not_to_come(engine: Case) -> None:
    budget = 4.0
    with scene_of(engine, apps.place("late"), Options(), start=budget) as scene:
        seen = running(scene)
        assert isinstance(seen["start"], Start)
        assert isinstance(seen["routes"], Routes)
        assert seen["start"].waited >= budget, "its own start has all its time"
        assert seen["routes"].health_status == 503
        again = stranger(scene)["stranger"]
    assert isinstance(again, Stranger)
    assert (again.healthy_after, again.waited < budget / 2) == (None, True)
