"""starting, healthy, unhealthy: when it changes, and when the next look is."""

from __future__ import annotations

from wherry.model.plan import Health
from wherry.runtime.health import KEPT, OUTPUT, Condition, Probe, after, pause

HEALTH = Health(port=8080, path="/", interval=10.0, timeout=3.0, start_period=5.0, retries=3)


def look(at: float, *, well: bool, said: str = "") -> Probe:
    return Probe(began=at, seconds=0.1, well=well, said=said)


def looked(*probes: Probe, health: Health = HEALTH) -> Condition:
    known = Condition(since=0.0)
    for probe in probes:
        known = after(known, probe, health, started=0.0)
    return known


def test_failures_while_it_starts_do_not_count() -> None:
    known = looked(*(look(at, well=False) for at in (0.5, 1, 2, 3, 4.9)))
    assert (known.status, known.failing) == ("starting", 0)


def test_three_in_a_row_afterwards_make_it_unhealthy() -> None:
    known = looked(look(6, well=False), look(16, well=False))
    assert (known.status, known.failing) == ("starting", 2)
    known = after(known, look(26, well=False), HEALTH, 0.0)
    assert (known.status, known.since) == ("unhealthy", 26.1)


def test_one_good_look_ends_the_start_and_the_count() -> None:
    known = looked(look(1, well=True))
    assert (known.status, known.since) == ("healthy", 1.1)
    known = looked(look(1, well=True), look(2, well=False), look(3, well=False), look(4, well=True))
    assert (known.status, known.failing) == ("healthy", 0)
    known = looked(look(1, well=True), *(look(at, well=False) for at in (2, 3, 4)))
    assert known.status == "unhealthy", "the start period is over once it was healthy"
    assert after(known, look(5, well=True), HEALTH, 0.0).status == "healthy"


def test_what_is_kept_is_bounded() -> None:
    known = looked(*(look(at, well=True, said="x" * 99_999) for at in range(50)))
    assert len(known.probes) == KEPT
    assert len(known.probes[-1].said) == OUTPUT


def test_the_first_good_look_does_not_wait_for_an_interval() -> None:
    assert pause(Condition(), HEALTH, 0.0, 0.0) == 0.5
    assert pause(looked(look(1, well=False)), HEALTH, 0.0, 2.0) == 0.5
    assert pause(looked(look(1, well=False)), HEALTH, 0.0, 6.0) == 10.0
    assert pause(looked(look(1, well=True)), HEALTH, 0.0, 2.0) == 10.0
