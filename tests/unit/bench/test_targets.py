"""The verdicts of the bench over made-up measurements: reached, missed, and not measured are three things."""

import pytest

from bench.results import Results, Sample, Series
from bench.targets import Verdict, verdicts

MIB = 1 << 20


def results(*rows: tuple[str, str, str, float]) -> Results:
    """Scenario, app, tool, seconds."""
    series = tuple(
        Series(scenario=scenario, app=app, tool=tool, samples=(Sample(wall=wall, memory=10 * MIB),) * 3, size=100 * MIB)
        for scenario, app, tool, wall in rows
    )
    return Results(facts=(), rounds=3, series=series)


def verdict(found: tuple[Verdict, ...], words: str) -> Verdict:
    (one,) = (row for row in found if words in row.target)
    return one


@pytest.mark.parametrize(("wherry", "reached"), [(2.12, True), (2.13, False)])
def test_overhead_is_what_wherry_takes_beyond_go_against_packing(wherry: float, reached: bool) -> None:
    rows = (("edit-layout", "a", "go", 2.0), ("edit-layout", "a", "pack", 0.1), ("edit-layout", "a", "wherry", wherry))
    assert verdict(verdicts(results(*rows)), "against packing alone").reached is reached


def test_sending_is_in_the_floor_of_a_push() -> None:
    rows = (("edit-push", "a", "go", 2.0), ("edit-push", "a", "send", 0.4), ("edit-push", "a", "wherry", 2.5))
    found = verdict(verdicts(results(*rows)), "packing and sending alone")
    assert (found.reached, found.measured) == (True, "1.25 x (0.500 s to 0.400 s)")


@pytest.mark.parametrize(
    ("scenario", "other", "limit"),
    [("same-push", "go", 0.25), ("many-same", "go", 0.25), ("many-edit", "ko", 0.6), ("cold", "go", 1.05)],
)
def test_ratios_have_the_limits_of_the_design(scenario: str, other: str, limit: float) -> None:
    for factor, reached in ((limit - 0.01, True), (limit + 0.01, False)):
        app = (("edit-layout", "a", "go", 1.0),)
        found = verdicts(results(*app, (scenario, "a", other, 10.0), (scenario, "a", "wherry", 10.0 * factor)))
        (one,) = (row for row in found if row.measured)
        assert (one.reached, one.limit) == (reached, f"≤ {limit} x")


def test_docker_is_beaten_only_without_its_push() -> None:
    rows = (("edit-layout", "a", "go", 1.0), ("same-layout", "a", "docker", 0.2), ("same-push", "a", "docker", 0.5))
    found = verdict(verdicts(results(*rows, ("same-push", "a", "wherry", 0.3))), "below Docker")
    assert (found.reached, found.limit) == (False, "< 0.200 s")


def test_packing_is_compared_with_the_slower_of_its_parts() -> None:
    found = verdict(
        verdicts(results(("pack", "", "pack", 1.2), ("pack", "", "gzip", 1.0), ("pack", "", "sha256", 0.3))), "slower"
    )
    assert found.reached
    assert found.measured.startswith("83%")


def test_memory_of_packing() -> None:
    found = verdict(verdicts(results(("pack", "", "pack", 1.0))), "memory of packing")
    assert (found.reached, found.measured) == (True, "10 MiB for 100 MiB")


def test_what_was_not_measured_is_not_reached() -> None:
    failed = Series(scenario="edit-layout", app="a", tool="wherry", failed="it ended with 3")
    assert {row.reached for row in verdicts(Results(facts=(), rounds=3, series=(failed,)))} == {None}


@pytest.mark.parametrize(("wherry", "reached"), [(1.0, True), (1.1, False)])
def test_a_push_is_compared_with_cranes(wherry: float, reached: bool) -> None:
    rows = (("push-fresh", "300 MB", "wherry", wherry), ("push-fresh", "300 MB", "crane", 1.0))
    assert verdict(verdicts(results(*rows)), "push of a new image").reached is reached


def test_memory_of_a_push_is_what_comes_over_the_interpreter() -> None:
    found = verdicts(results(("push-fresh", "300 MB", "wherry", 1.0), ("version", "", "python", 0.1)))
    assert verdict(found, "memory of a push").measured == "0 MiB for 100 MiB"
