"""Every application of tests/apps gets exactly the verdicts that it deserves: all under runc, some under each other engine.

A row of tests/apps/README.md says which checks must fail; no other may. UNKNOWNs are no passes: each is listed in
docs/verdicts.md, with how many they may be, and one that is not listed fails here. `WRITE_VERDICTS=1` writes the page anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from tests.support import apps
from tests.support.contained import Case, case
from tests.support.servers import need_no_chroot
from tests.support.tools import need
from tests.support.verdicts import (
    ELSEWHERE,
    ENGINES,
    MOST_UNKNOWN,
    NAMES,
    OPTIONS,
    WANTED,
    Outcome,
    deserved,
    outcomes,
    rows,
    unlisted,
    write,
)
from wherry.flows.container import RunRequest
from wherry.flows.looks.exercise import Sampled
from wherry.flows.prove import ProveRequest, prove
from wherry.judge import CHECKS
from wherry.model.container import Options

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("verdicts")]

Elsewhere = tuple[Case, dict[str, Future[Outcome]]]
#: Under the other engines: one of each kind of look, and what differs.
SOME = (
    *("good", "nosigterm", "writes", "leaks", "zombies", "needsca", "needszones", "needsuser"),
    *("as-root", "missing-program"),
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Outcome]]]:
    """Under runc."""
    need("runc", "go")
    with case("runc", tmp_path_factory.mktemp("verdicts")) as engine, outcomes(engine) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_it_gets_what_it_deserves(name: str, found: dict[str, Future[Outcome]]) -> None:
    if name == "selfhealth":
        need_no_chroot()
    outcome = found[name].result()
    failed = outcome.failed(name)
    assert failed == deserved(name, "runc"), outcome.why(*(failed ^ deserved(name, "runc")))
    assert outcome.error or [one.check for one in outcome.verdicts] == [check.name for check in CHECKS]


def test_unknowns_are_listed_and_few(found: dict[str, Future[Outcome]]) -> None:
    need_no_chroot()
    done = {name: one.result() for name, one in found.items()}
    write("runc", done)
    assert rows().keys() == done.keys()
    assert unlisted("runc", done) == {}
    total = sum(len(one.verdicts) for one in done.values())
    assert sum(len(one.unknown) for one in done.values()) < total * MOST_UNKNOWN
    assert not done["good"].unknown


def test_each_check_has_an_application_that_must_fail_it() -> None:
    """Removing a check breaks its application's row. What wherry itself always sets has none: see the other tests."""
    by_wherry = {"capabilities", "privileges", "seccomp", "apparmor", "isolation"}
    beyond = {check for name in ELSEWHERE if name in apps.verdicts() for check in apps.verdicts()[name].fails}
    covered = {check for name in NAMES for check in apps.verdicts()[name].fails}
    assert {check.name for check in CHECKS} - covered - beyond - by_wherry == set()


def test_what_is_relaxed_fails(found: dict[str, Future[Outcome]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The checks of what wherry always sets: they fail where it is switched off, so they look."""
    options = Options(relax=("privileges", "seccomp", "rootfs"))
    only = ("capabilities", "privileges", "seccomp", "isolation", "user", "rootfs")
    with case("runc", tmp_path_factory.mktemp("relaxed")) as engine:
        run = RunRequest(subject=apps.place("good"), options=options, engine="runc")
        verdicts = prove(ProveRequest(run=run, only=only, expectations=WANTED), engine.machine).verdicts
    assert {one.check for one in verdicts if one.outcome == "FAIL"} == {"privileges", "seccomp", "rootfs"}


@pytest.fixture(scope="module", params=ENGINES[1:])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Another engine, and SOME under it."""
    need(request.param, "go")
    with case(request.param, tmp_path_factory.mktemp("elsewhere")) as engine, outcomes(engine, SOME) as running:
        yield engine, running


@pytest.mark.xdist_group("engines")
@pytest.mark.parametrize("name", SOME)
def test_other_engines_say_the_same(name: str, elsewhere: Elsewhere) -> None:
    engine, running = elsewhere
    outcome = running[name].result()
    failed, wanted = outcome.failed(name), deserved(name, engine.engine)
    assert failed == wanted, outcome.why(*(failed ^ wanted))
    assert unlisted(engine.engine, {name: outcome}) == {}


@pytest.mark.xdist_group("engines")
def test_a_limit_that_kills_is_told_though_nobody_saw_it_near(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine no sample is taken between enough memory and none, and the group goes with the container."""
    engine, running = elsewhere
    wait(running.values())  # they take samples
    monkeypatch.setattr(Sampled, "take", lambda _: None)
    run = RunRequest(subject=apps.place("leaks"), options=OPTIONS, engine=engine.engine)
    (verdict,) = prove(ProveRequest(run=run, only=("memory",), expectations=WANTED), engine.machine).verdicts
    assert (verdict.outcome, verdict.summary) == ("FAIL", "its memory limit killed it")
