"""What never started, never listened or never stopped is one fault: other checks say that they could not look."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.judge.identity import user
from wherry.judge.ports import ports
from wherry.judge.routes import health, ready
from wherry.judge.start import start
from wherry.judge.strangers import random_uid
from wherry.judge.table import CHECKS, judged
from wherry.model.observation import Drain, DrainTry, Expectations, Identity, Routes, Sockets, Start, Unseen
from wherry.model.trials import Stranger

WANTED = Expectations()
SILENT = Start(waited=20.0, route="GET /healthz")
ILL = Start(listening_after=0.1, waited=10.0, route="GET /healthz", status=503)
ROUTES = Routes(health="GET /healthz", ready="GET /readyz", ready_status=200)


def test_a_program_that_is_not_there_does_not_start() -> None:
    verdict = start(observed(start=Start(refused="the image has no program /app/x", log=("it names /lib/ld",))), WANTED)
    assert (verdict.outcome, verdict.summary, verdict.seen) == (
        "FAIL",
        "the image has no program /app/x",
        ("it names /lib/ld",),
    )


@pytest.mark.parametrize(
    ("seen", "acceptable"),
    [
        (Start(refused="the image has no program /nope"), False),
        (Start(waited=0.1, ended=2), False),
        (Start(listening_after=0.1, healthy_after=0.1), True),
    ],
)
def test_nothing_is_accepted_of_what_never_ran(seen: Start, acceptable: bool) -> None:
    stopping = tuple(one for one in CHECKS if one.name == "drain")
    (verdict,) = judged(observed(start=seen, drain=Unseen(why="no-entrypoint")), WANTED, stopping)
    assert (verdict.outcome, verdict.acceptable) == ("UNKNOWN", acceptable)


def test_what_this_machine_shows_of_no_image_says_nothing_of_one_that_never_ran() -> None:
    module = tuple(one for one in CHECKS if one.name == "apparmor")
    seen = observed(start=Start(waited=0.1, ended=2), identity=Unseen(why="no such file in /proc", host=True))
    assert judged(seen, WANTED, module)[0].acceptable


def test_who_listens_nowhere_fails_its_start_alone() -> None:
    seen = observed(start=SILENT, routes=ROUTES, sockets=Sockets())
    assert start(seen, WANTED).outcome == "FAIL"
    for judge in (health, ready, ports):
        assert judge(seen, WANTED).outcome == "UNKNOWN"
        assert "it listens nowhere" in judge(seen, WANTED).summary


def test_what_declares_no_port_may_listen_nowhere() -> None:
    container = replace(CONTAINER, ports=())
    assert ports(observed(container, start=replace(SILENT, route=""), sockets=Sockets()), WANTED).outcome == "PASS"


@pytest.mark.parametrize(("seen", "outcome"), [(ILL, "UNKNOWN"), (replace(ILL, healthy_after=0.2, status=200), "FAIL")])
def test_a_stranger_is_compared_with_its_own_user(seen: Start, outcome: str) -> None:
    assert random_uid(observed(start=seen, stranger=Stranger(uid=4711)), WANTED).outcome == outcome


def test_who_is_ill_as_its_own_user_does_start() -> None:
    verdict = random_uid(observed(start=ILL, stranger=Stranger(uid=4711)), WANTED)
    assert verdict.summary == "as its own user it is not well, either"


def test_who_is_killed_was_not_asked_while_it_stopped() -> None:
    started = Start(listening_after=0.1, healthy_after=0.1)
    killed = DrainTry(exit_code=None, ready=200)
    drain = Drain(signal="SIGTERM", grace=10.0, tries=(killed,))
    verdict = ready(observed(start=started, routes=ROUTES, drain=drain), WANTED)
    assert (verdict.outcome, "it did not stop, see drain" in verdict.summary) == ("UNKNOWN", True)
    ended = replace(drain, tries=(killed, DrainTry(exit_code=0, ready=200)))
    assert ready(observed(start=started, routes=ROUTES, drain=ended), WANTED).outcome == "FAIL"


@pytest.mark.parametrize(
    ("said", "outcome"), [("", "PASS"), ("65532:65532", "PASS"), ("nonroot", "FAIL"), ("nonroot:0", "FAIL")]
)
def test_a_user_by_name(said: str, outcome: str) -> None:
    who = Identity(uid=65532, gid=65532, groups=(), host_uid=65532, capabilities=())
    assert user(observed(said_user=said, identity=who), WANTED).outcome == outcome
