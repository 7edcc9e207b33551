"""Medians, spreads and ratios, and how they are written. Numbers in, numbers and text out; touches nothing."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from bench.results import Series

NOTHING = "-"


def walls(series: Series) -> tuple[float, ...]:
    return tuple(sample.wall for sample in series.samples)


def median(series: Series) -> float:
    """The median wall time in seconds; the series must have samples."""
    return statistics.median(walls(series))


def cpu(series: Series) -> float:
    return statistics.median(sample.cpu for sample in series.samples)


def memory(series: Series) -> int:
    """The most that any run's largest process held."""
    return max(sample.memory for sample in series.samples)


def surplus(series: Series, bare: Series) -> tuple[float, ...]:
    """What each run took beyond the bare one of the same round, so that a slow minute of the machine hits both."""
    return tuple(one - other for one, other in zip(walls(series), walls(bare), strict=False))


def seconds(value: float) -> str:
    """Three figures that matter, never more than the clock is worth."""
    return f"{value:.1f}" if value >= 99.95 else f"{value:.2f}" if value >= 0.995 else f"{value:.3f}"


def spread(values: Sequence[float]) -> str:
    """`2.11 (2.04 to 2.30)`: median, least and most."""
    return f"{seconds(statistics.median(values))} ({seconds(min(values))} to {seconds(max(values))})"


def ratio(value: float, base: float) -> str:
    return f"{value / base:.2f}" if base > 0 else NOTHING


def mebibytes(size: int) -> str:
    return f"{size / (1 << 20):.1f}" if size else NOTHING
