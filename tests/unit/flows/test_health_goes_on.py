"""A monitor that takes over knows how the container was: it goes on from there."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER
from wherry.flows import health
from wherry.flows.attend import Attended
from wherry.kit.ports import Machine
from wherry.model.plan import Health
from wherry.runtime.health import Condition, Probe

HEALTH = Health(port=8080, path="/", interval=0.02, timeout=1.0, start_period=50.0, retries=2)
GOOD, BAD = (Probe(began=1000.0, seconds=0.0, well=well) for well in (True, False))


def told(before: Condition | None, probe: Probe, monkeypatch: pytest.MonkeyPatch) -> list[Condition]:
    """The first three conditions of a watch that begins at 1000 seconds."""
    over, found = threading.Event(), list[Condition]()

    def tell(condition: Condition) -> None:
        found.append(condition)
        if len(found) == 3:
            over.set()

    monkeypatch.setattr(health, "probe", lambda *_: probe)
    place = SimpleNamespace(condition=lambda: before)
    one = cast("Attended", SimpleNamespace(container=replace(CONTAINER, health=HEALTH), place=place))
    health.watched(one, cast("Machine", SimpleNamespace(now=lambda: 1000.0)), tell, over)
    return found


def test_the_first_one_begins_with_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(None, BAD, monkeypatch)
    assert [(one.status, one.failing, len(one.probes)) for one in found] == [
        ("starting", 0, 0), ("starting", 0, 1), ("starting", 0, 2),
    ]  # fmt: skip
    assert {one.since for one in found} == {1000.0}


def test_one_that_was_healthy_is_not_starting_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Condition(status="healthy", since=100.0, probes=(replace(GOOD, began=900.0),))
    found = told(before, GOOD, monkeypatch)
    assert [(one.status, one.since, len(one.probes)) for one in found] == [("healthy", 100.0, n) for n in (1, 2, 3)]


def test_failures_are_counted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(Condition(status="healthy", since=100.0, failing=1, probes=(BAD,)), BAD, monkeypatch)
    assert [(one.status, one.failing) for one in found] == [("healthy", 1), ("unhealthy", 2), ("unhealthy", 3)]


def test_a_start_period_does_not_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(Condition(since=940.0), BAD, monkeypatch)
    assert [(one.status, one.failing) for one in found] == [("starting", 0), ("starting", 1), ("unhealthy", 2)]
