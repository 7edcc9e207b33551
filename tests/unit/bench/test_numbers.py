"""The figures of the bench: medians, spreads, ratios, and how they are written."""

import pytest

from bench import numbers
from bench.results import Sample, Series


def series(*walls: float, tool: str = "wherry", memory: int = 0) -> Series:
    samples = tuple(Sample(wall=wall, cpu=wall / 2, memory=memory) for wall in walls)
    return Series(scenario="edit-layout", app="app", tool=tool, samples=samples)


def test_the_median_is_not_moved_by_one_slow_run() -> None:
    assert numbers.median(series(2.0, 2.2, 90.0)) == 2.2
    assert numbers.cpu(series(2.0, 2.2, 90.0)) == 1.1


def test_surplus_goes_round_by_round() -> None:
    assert numbers.surplus(series(3.0, 9.5), series(2.0, 8.0)) == (1.0, 1.5)


def test_surplus_of_a_shorter_series_is_as_long_as_that() -> None:
    assert numbers.surplus(series(3.0, 9.5), series(2.0)) == (1.0,)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "0.012"), (0.9949, "0.995"), (0.996, "1.00"), (2.104, "2.10"), (99.96, "100.0")]
)
def test_seconds_have_three_figures(value: float, text: str) -> None:
    assert numbers.seconds(value) == text


def test_spread_says_median_least_and_most() -> None:
    assert numbers.spread((2.0, 5.0, 1.0)) == "2.00 (1.00 to 5.00)"


def test_what_was_not_seen_is_no_number() -> None:
    assert numbers.mebibytes(0) == numbers.NOTHING
    assert numbers.ratio(1.0, 0.0) == numbers.NOTHING


def test_memory_is_the_most_of_any_run() -> None:
    assert numbers.mebibytes(numbers.memory(series(1.0, 2.0, memory=3 << 20))) == "3.0"
