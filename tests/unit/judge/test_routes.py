"""Health, readiness and ports: the borders of what a yes is, and of what is reached from outside."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.judge.ports import ports
from wherry.judge.routes import health, ready
from wherry.model.observation import Drain, DrainTry, Expectations, Routes, Socket, Sockets, Start

WANTED = Expectations()
STARTED = Start(listening_after=0.1, healthy_after=0.1)
ROUTES = Routes(health="GET /healthz", health_status=200, ready="GET /readyz", ready_status=200)
UNDECLARED = "it listens on 6060/tcp, which the image does not declare"
STATUSES = ((199, "FAIL"), (200, "PASS"), (399, "PASS"), (400, "FAIL"), (404, "FAIL"), (500, "FAIL"), (0, "FAIL"))


@pytest.mark.parametrize(("status", "outcome"), STATUSES)
def test_a_healthy_answer(status: int, outcome: str) -> None:
    assert health(observed(start=STARTED, routes=replace(ROUTES, health_status=status)), WANTED).outcome == outcome


@pytest.mark.parametrize(("status", "outcome"), STATUSES)
def test_a_ready_answer(status: int, outcome: str) -> None:
    drain = Drain(signal="SIGTERM", grace=10.0, tries=(DrainTry(exit_code=0, ready=503),))
    seen = observed(start=STARTED, routes=replace(ROUTES, ready_status=status), drain=drain)
    assert ready(seen, WANTED).outcome == outcome


@pytest.mark.parametrize(
    ("tries", "outcome"),
    [
        (((0, 503), (0, 503)), "PASS"),
        (((0, 503), (0, 200)), "FAIL"),
        (((0, 0), (0, 399)), "FAIL"),
        (((None, 200), (0, 503)), "PASS"),
        (((None, 200),), "UNKNOWN"),
        (((0, None),), "UNKNOWN"),
    ],
)
def test_each_try_that_stopped_counts(tries: tuple[tuple[int | None, int | None], ...], outcome: str) -> None:
    drain = Drain(
        signal="SIGTERM", grace=10.0, tries=tuple(DrainTry(exit_code=code, ready=status) for code, status in tries)
    )
    assert ready(observed(start=STARTED, routes=ROUTES, drain=drain), WANTED).outcome == outcome


@pytest.mark.parametrize(
    ("before", "summary"),
    [
        (200, "GET /readyz 200, 503 once stopping"),
        (0, "GET /readyz 200, 503 once stopping; refused at first"),
        (503, "GET /readyz 200, 503 once stopping; 503 at first"),
    ],
)
def test_what_readiness_said_before_is_told(before: int, summary: str) -> None:
    drain = Drain(signal="SIGTERM", grace=10.0, tries=(DrainTry(exit_code=0, ready=503),))
    seen = observed(start=STARTED, routes=replace(ROUTES, ready_before=before), drain=drain)
    assert ready(seen, WANTED).summary == summary


def listening(*places: tuple[str, int]) -> Sockets:
    return Sockets(listening=tuple(Socket(protocol="tcp", address=address, port=port) for address, port in places))


@pytest.mark.parametrize(
    ("sockets", "declared", "outcome", "summary"),
    [
        (listening(("10.0.2.100", 8080)), ("8080/tcp",), "PASS", "8080/tcp, and nothing else"),
        (listening(("::", 8080), ("10.0.2.100", 6060)), ("8080/tcp",), "FAIL", UNDECLARED),
        (listening(("127.0.0.53", 8080)), ("8080/tcp",), "FAIL", "8080/tcp is reached from inside alone"),
        (listening(("::1", 8080)), ("8080/tcp",), "FAIL", "8080/tcp is reached from inside alone"),
        (listening(("127.0.0.1", 8080), ("0.0.0.0", 8080)), ("8080/tcp",), "PASS", "8080/tcp, and nothing else"),
        (listening(("127.0.0.1", 6060)), (), "PASS", "none, as the image says; 1 inside alone"),
        (listening(("::", 6060)), (), "FAIL", UNDECLARED),
    ],
)  # fmt: skip
def test_what_is_reached_from_outside(sockets: Sockets, declared: tuple[str, ...], outcome: str, summary: str) -> None:
    verdict = ports(observed(replace(CONTAINER, ports=declared), start=STARTED, sockets=sockets), WANTED)
    assert (verdict.outcome, verdict.summary) == (outcome, summary)
