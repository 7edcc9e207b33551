"""How it starts, answers, listens and stops: from looks to verdicts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.judge.drain import drain
from wherry.judge.ports import ports
from wherry.judge.routes import health, ready
from wherry.judge.start import start
from wherry.kit.ports import Answer
from wherry.model.observation import (
    Checked,
    Drain,
    DrainTry,
    Expectations,
    Needless,
    Observed,
    Routes,
    Socket,
    Sockets,
    Start,
    Unseen,
)
from wherry.model.verdict import Verdict

WANTED = Expectations()
GOOD = Answer(status=200, began=-0.2, ended=1.3)
LOST = Answer(error="reset", began=-0.2, ended=0.002)
REFUSED = Answer(error="refused", began=0.1, ended=0.1)
CUT = Answer(error="cut before an answer", began=0.3, ended=1.3)
LATER = Answer(error="reset", began=0.3, ended=0.7)
TOO_LATE = Answer(error="it has ended", began=1.3, ended=1.6)
BUSY = Answer(status=503, began=0.2, ended=0.201)
NEW = Answer(status=200, began=0.25, ended=1.25)
AFTER = Answer(error="refused", began=1.29, ended=1.29)
RESET = Answer(error="reset", began=0.5, ended=0.501)
PEACE = DrainTry(answers=(GOOD,) * 8, late=(REFUSED,) * 3, exit_code=0, seconds=1.3, alive=1.28, ready=503)
END = DrainTry(exit_code=0, seconds=0.1)
DRAIN = Drain(signal="SIGTERM", grace=10.0, route="GET /slow", tries=(PEACE,) * 3)
ROUTES = Routes(health="GET /healthz", health_status=200, ready="GET /readyz", ready_status=200)
WIDE = Socket(protocol="tcp", address="::", port=8080)

UP = Start(listening_after=0.02, healthy_after=0.038, waited=0.038, route="GET /healthz", status=200)
STARTS = (
    (UP, "PASS", "healthy after 38 ms, GET /healthz 200"),
    (replace(UP, route="", command="app health"), "PASS", "healthy after 38 ms, app health"),
    (Start(listening_after=0.02, waited=0.02), "PASS", "listening after 20 ms"),
    (
        Start(listening_after=0.02, waited=9.0, route="GET /h", status=503),
        "UNKNOWN",
        "listening after 20 ms, and never healthy: GET /h answered 503, see health",
    ),
    (Start(listening_after=0.02, waited=9.0, route="GET /h"), "UNKNOWN", "GET /h answered nothing, see health"),
    (Start(listening_after=0.02, waited=9.0, command="app health"), "UNKNOWN", "app health failed, see health"),
    (replace(UP, healthy_after=12.0), "FAIL", "the budget is 10 s"),
    (Start(listening_after=12.0, waited=12.0), "FAIL", "the budget is 10 s"),
    (Start(waited=20.0), "FAIL", "it listened nowhere for 20.0 s"),
    (Start(waited=0.1, ended=2, log=("panic: no",)), "FAIL", "it ended with status 2 after 100 ms"),
    (Start(waited=0.1, ended=0), "FAIL", "it ended with status 0"),
    (Start(waited=0.1, listening_after=0.1, ended=2, route="GET /h"), "FAIL", "asked for GET /h"),
    (replace(UP, ended=2, waited=1.0), "FAIL", "it ended with status 2 after 1.0 s of good health"),
    (Start(waited=0.1, ended=137, out_of_memory=True), "FAIL", "its memory limit killed it"),
)


@pytest.mark.parametrize(("seen", "outcome", "words"), STARTS)
def test_a_start(seen: Start, outcome: str, words: str) -> None:
    verdict = start(observed(start=seen), WANTED)
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict.summary


def test_what_serves_nothing_may_end_or_listen_nowhere() -> None:
    quiet = replace(CONTAINER, ports=())
    assert start(observed(quiet, start=Start(waited=0.1, ended=0)), WANTED).outcome == "PASS"
    assert start(observed(quiet, start=Start(waited=0.1, ended=1)), WANTED).outcome == "FAIL"
    assert start(observed(quiet, start=Start(waited=1.5)), WANTED).outcome == "PASS"


def _hasty(status: int) -> Drain:
    """Its slow route answers before the signal."""
    return replace(
        DRAIN, tries=(replace(PEACE, answers=(), hasty=Answer(status=status, error="" if status else "refused")),)
    )


UNASKED = replace(DRAIN, tries=(replace(PEACE, late=()),))
DRAINS = (
    (DRAIN, "PASS", "8 of 8 requests answered, new ones refused"),
    (
        replace(DRAIN, tries=(PEACE, replace(PEACE, answers=(GOOD,) * 3 + (LOST,) * 5))),
        "FAIL",
        "lost 5 of 8 requests, in 1 of 2 tries",
    ),
    (
        replace(DRAIN, tries=(replace(PEACE, exit_code=None, seconds=10.0),)),
        "FAIL",
        "did not stop within 10 s of SIGTERM",
    ),
    (replace(DRAIN, tries=(replace(PEACE, exit_code=1),)), "FAIL", "stopped with status 1"),
    (replace(DRAIN, tries=(replace(PEACE, exit_code=143),)), "PASS", "ended with 143"),
    (
        replace(DRAIN, tries=(replace(PEACE, late=(GOOD, CUT)),)),
        "FAIL",
        "let 1 new requests in after SIGTERM and lost them",
    ),
    (
        replace(DRAIN, tries=(replace(PEACE, late=(GOOD, CUT), seconds=2.6),)),  # a busy machine tells its end late
        "FAIL",
        "it let 1 new requests in",
    ),
    (replace(DRAIN, tries=(replace(PEACE, late=(RESET, REFUSED)),)), "PASS", "new ones refused"),
    (replace(DRAIN, tries=(replace(PEACE, late=(LATER, REFUSED)),)), "PASS", "new ones refused"),
    (replace(DRAIN, tries=(replace(PEACE, late=(TOO_LATE, REFUSED)),)), "PASS", "new ones refused"),
    (replace(DRAIN, tries=(replace(PEACE, late=(GOOD, GOOD, REFUSED)),)), "PASS", "2 new ones too, then refused"),
    (replace(DRAIN, tries=(replace(PEACE, late=(BUSY, GOOD, BUSY)),)), "PASS", "1 new ones too, then refused"),
    (
        replace(DRAIN, tries=(replace(PEACE, late=(GOOD, GOOD)),)),
        "UNKNOWN",
        "2 new ones answered, and none was refused",
    ),
    (UNASKED, "UNKNOWN", "no new one was made before its end"),
    (replace(DRAIN, tries=(replace(PEACE, late=(GOOD, AFTER)),)), "UNKNOWN", "1 new ones answered"),
    (replace(DRAIN, tries=(replace(PEACE, late=(TOO_LATE,)),)), "UNKNOWN", "no new one was made"),
    (replace(DRAIN, tries=(replace(PEACE, late=(BUSY, NEW)),)), "UNKNOWN", "1 new ones answered"),
    (replace(DRAIN, tries=(replace(PEACE, late=()), PEACE)), "PASS", "new ones refused in 1 of the tries"),
    (replace(DRAIN, route="", tries=(DrainTry(exit_code=0, seconds=0.1),)), "UNKNOWN", "need [prove] slow-route"),
    (replace(DRAIN, route="", tries=(DrainTry(exit_code=2, seconds=0.1),)), "FAIL", "stopped with status 2"),
    (replace(DRAIN, tries=(replace(PEACE, answers=()),)), "UNKNOWN", "answers too fast"),
    (_hasty(404), "UNKNOWN", "GET /slow answered 404"),
    (_hasty(0), "UNKNOWN", "GET /slow answered refused"),
    (_hasty(200), "UNKNOWN", "GET /slow answers too fast"),
    (replace(DRAIN, tries=()), "UNKNOWN", "not stopped"),
)


@pytest.mark.parametrize(("seen", "outcome", "words"), DRAINS)
def test_a_stop(seen: Drain, outcome: str, words: str) -> None:
    verdict = drain(observed(drain=seen), WANTED)
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict.summary


@pytest.mark.parametrize(
    ("seen", "acceptable"),
    [(_hasty(404), False), (_hasty(200), False), (UNASKED, False), (replace(DRAIN, route="", tries=(END,)), True)],
)
def test_a_slow_route_that_is_none_is_never_accepted(seen: Drain, acceptable: bool) -> None:
    assert drain(observed(drain=seen), WANTED).acceptable is acceptable


def test_what_ends_by_itself_is_not_said_to_stop_badly() -> None:
    seen = observed(
        CONTAINER, drain=replace(DRAIN, tries=(replace(PEACE, exit_code=2),)), start=Start(waited=1.0, ended=2)
    )
    assert drain(seen, WANTED).outcome == "UNKNOWN"


def test_a_time_line_is_in_order() -> None:
    """Those who waited hear of an end a moment after it."""
    one = replace(PEACE, answers=(LOST,) * 8, exit_code=2, seconds=0.0)
    verdict = drain(observed(drain=replace(DRAIN, tries=(one,))), WANTED)
    assert [line.split(" at ")[0] for line in verdict.seen] == ["SIGTERM", "exit status 2", "the first was lost"]


@pytest.mark.parametrize(("status", "step"), [(2, "handle SIGTERM, then"), (1, "let main wait for")])
def test_a_failed_stop_says_what_to_write(status: int, step: str) -> None:
    for answers in ((LOST,) * 8, PEACE.answers):
        one = replace(PEACE, answers=answers, exit_code=status)
        (said,) = drain(observed(drain=replace(DRAIN, tries=(one,))), WANTED).next
        assert said.startswith(step)


def test_a_failed_stop_is_told_as_a_time_line() -> None:
    verdict = drain(
        observed(drain=replace(DRAIN, tries=(replace(PEACE, answers=(LOST,) * 8, exit_code=2, seconds=0.1),))), WANTED
    )
    assert verdict.seen == (
        "SIGTERM at 0 ms with 8 requests under way",
        "the first was lost at 2 ms: reset",
        "exit status 2 at 100 ms",
    )


PORTS = (
    (Sockets(listening=(WIDE,)), ("8080/tcp",), "PASS", "8080/tcp, and nothing else"),
    (Sockets(), ("8080/tcp",), "FAIL", "nothing listens on 8080/tcp"),
    (Sockets(listening=(replace(WIDE, port=9090),)), ("8080/tcp",), "FAIL", "nothing listens on 8080/tcp"),
    (
        Sockets(listening=(WIDE, replace(WIDE, port=6060))),
        ("8080/tcp",),
        "FAIL",
        "6060/tcp, which the image does not declare",
    ),
    (
        Sockets(listening=(WIDE, Socket(protocol="tcp", address="127.0.0.1", port=6060))),
        ("8080/tcp",),
        "PASS",
        "1 inside alone",
    ),
    (Sockets(listening=(replace(WIDE, address="127.0.0.1"),)), ("8080/tcp",), "FAIL", "from inside alone"),
    (Sockets(), (), "PASS", "none, as the image says"),
)


@pytest.mark.parametrize(("seen", "declared", "outcome", "words"), PORTS)
def test_ports(seen: Sockets, declared: tuple[str, ...], outcome: str, words: str) -> None:
    verdict = ports(observed(replace(CONTAINER, ports=declared), sockets=seen), WANTED)
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict.summary


ROUTE_ROWS = (
    (health, ROUTES, DRAIN, "PASS", "GET /healthz 200"),
    (health, replace(ROUTES, health_status=503), DRAIN, "FAIL", "answered 503"),
    (health, replace(ROUTES, health_status=0), DRAIN, "FAIL", "answered nothing"),
    (health, replace(ROUTES, health=""), DRAIN, "UNKNOWN", "no health route"),
    (health, Routes(checked=Checked(command="app health", well=True)), DRAIN, "PASS", "app health ended with 0"),
    (health, Routes(checked=Checked(command="app health", well=False, said="ill")), DRAIN, "FAIL", "app health failed"),
    (health, Routes(checked=Unseen(why="in a chroot")), DRAIN, "UNKNOWN", "in a chroot"),
    (ready, ROUTES, DRAIN, "PASS", "GET /readyz 200, 503 once stopping"),
    (ready, ROUTES, replace(DRAIN, tries=(replace(PEACE, ready=0),)), "PASS", "refused once stopping"),
    (ready, ROUTES, replace(DRAIN, tries=(replace(PEACE, ready=200),)), "FAIL", "still said 200"),
    (ready, ROUTES, replace(DRAIN, tries=(replace(PEACE, ready=None),)), "UNKNOWN", "could not be asked"),
    (ready, replace(ROUTES, ready_status=503), DRAIN, "FAIL", "answered 503 while it ran"),
    (ready, replace(ROUTES, ready=""), DRAIN, "UNKNOWN", "no readiness route"),
)


@pytest.mark.parametrize(("judge", "seen", "stopping", "outcome", "words"), ROUTE_ROWS)
def test_routes(
    judge: Callable[[Observed, Expectations], Verdict], seen: Routes, stopping: Drain, outcome: str, words: str
) -> None:
    verdict = judge(observed(routes=seen, drain=stopping), WANTED)
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict.summary


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(ROUTES, health_status=0, health_port=8080), "8080 was asked, and it listens on 8081"),
        (replace(ROUTES, health_status=0, health_port=8081), "names the route"),
        (replace(ROUTES, health_status=503, health_port=8080), "names the route"),
    ],
)
def test_a_health_route_on_another_port_is_told_by_its_port(seen: Routes, words: str) -> None:
    (step,) = health(observed(routes=seen, sockets=Sockets(listening=(replace(WIDE, port=8081),))), WANTED).next
    assert words in step


@pytest.mark.parametrize(
    ("judge", "words"),
    [(health, "--set image.health.path="), (ready, "--ready-route "), (drain, "--slow-route ")],
)
def test_what_nobody_named_can_be_named_without_a_file(
    judge: Callable[[Observed, Expectations], Verdict], words: str
) -> None:
    unnamed = observed(routes=Routes(), drain=replace(DRAIN, route="", tries=(END,)))
    (step,) = judge(unnamed, WANTED).next
    assert words in step
    assert "wherry.toml" in step


def test_nothing_is_asked_of_what_has_no_port() -> None:
    """A worker: plan and observation agree. Where they do not, nobody knows."""
    worker, run = replace(CONTAINER, ports=()), Start(waited=1.5)
    stopped = replace(DRAIN, route="", tries=(END,) * 3)
    seen = observed(worker, start=run, routes=Routes(), sockets=Sockets(), drain=stopped)
    verdicts = [judge(seen, WANTED) for judge in (health, ready, drain)]
    assert [one.outcome for one in verdicts] == ["SKIP", "SKIP", "PASS"]
    assert verdicts[0].summary == "it listens nowhere, and declares no port"
    assert verdicts[2].summary == "ended with 0 after 100 ms, and no port takes requests; 3 tries"
    killed = replace(seen, drain=replace(stopped, tries=(replace(END, exit_code=None),)))
    assert drain(killed, WANTED).outcome == "FAIL"
    for other in (
        replace(seen, container=CONTAINER),
        replace(seen, sockets=Sockets(listening=(WIDE,))),
        replace(seen, start=replace(run, listening_after=0.1)),
        replace(seen, start=replace(run, route="GET /h"), routes=Routes(health="GET /h", ready="GET /r")),
    ):
        assert {judge(other, WANTED).outcome for judge in (health, ready, drain)} == {"UNKNOWN"}


def test_who_waits_for_a_server_that_is_not_here_is_not_blamed_for_it() -> None:
    waiting, wanted = replace(ROUTES, ready_status=503), replace(WANTED, backing=("postgres", "redis"))
    verdict = ready(observed(routes=waiting, drain=DRAIN), wanted)
    assert (verdict.outcome, verdict.host, verdict.acceptable) == ("UNKNOWN", False, True)
    assert verdict.summary.endswith("answered 503 while it ran; it talks to postgres and redis, and there is none here")
    assert ready(observed(routes=ROUTES, drain=DRAIN), wanted).outcome == "PASS"
    for network in ("host", "out"):
        led_out = replace(CONTAINER, network=network)
        assert ready(observed(led_out, routes=waiting, drain=DRAIN), wanted).outcome == "FAIL"


def test_readiness_that_could_not_be_asked_names_the_flag_that_lets_it() -> None:
    stopping = replace(DRAIN, tries=(replace(PEACE, ready=None),))
    (step,) = ready(observed(routes=ROUTES, drain=stopping), WANTED).next
    assert step.startswith("--slow-route ")


LOOKS: dict[str, Callable[[Observed, Expectations], Verdict]] = {
    "start": start, "drain": drain, "sockets": ports, "routes": health,
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_what_was_not_seen_is_never_passed(look: str) -> None:
    assert LOOKS[look](observed(CONTAINER, **{look: Unseen(why="x")}), WANTED).outcome == "UNKNOWN"
    assert LOOKS[look](observed(CONTAINER, **{look: Needless(why="x")}), WANTED).outcome == "SKIP"
