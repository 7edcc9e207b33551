"""New requests while it stops: they go on until one is refused or it has ended, however many that are."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from wherry.flows.looks.stopping import MOST, _late
from wherry.kit.ports import Answer
from wherry.model.observation import Expectations

MANY = 3 * MOST


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_late.__globals__, "EVERY", 0.001)


def _asked(answers: Any, ended: threading.Event) -> list[Answer]:
    scene: Any = SimpleNamespace(expectations=Expectations(slow_route="/slow"), get=answers)
    found, _ = _late(scene, SimpleNamespace(), ended)  # type: ignore[arg-type]
    return list(found)


def test_one_that_lets_all_in_is_asked_until_it_has_ended() -> None:
    ended, count = threading.Event(), iter(range(10 * MANY))

    def get(*_: object, **__: object) -> Answer:
        if next(count) == MANY:
            ended.set()
        return Answer(status=200)

    assert len(_asked(get, ended)) > MANY


def test_the_first_refusal_ends_it() -> None:
    count = iter(range(10 * MANY))

    def get(*_: object, **__: object) -> Answer:
        return Answer(status=200) if next(count) < MANY else Answer(error="refused")

    found = _asked(get, threading.Event())
    assert [one.error for one in found if one.error][:1] == ["refused"]
    assert MANY < len(found) < 2 * MANY
