"""RESULTS.md over made-up measurements."""

from bench.report import render, table
from bench.results import Results, Sample, Series, again, decode, encode

MIB = 1 << 20


def series(tool: str, *walls: float, failed: str = "") -> Series:
    samples = tuple(Sample(wall=wall, cpu=1.5, memory=20 * MIB) for wall in walls)
    return Series(scenario="edit-push", app="podinfo", tool=tool, samples=samples, size=2 * MIB, failed=failed)


RESULTS = Results(
    facts=(("processor", "one | two"),),
    rounds=3,
    series=(
        series("go", 2.0, 2.1, 2.2),
        series("wherry", 2.2, 2.31, 2.4),
        series("ko", failed="ko ended with 1: secret"),
    ),
    absent=(("docker", "dockerd is not installed"),),
)


def test_json_comes_back_as_it_was() -> None:
    assert decode(encode(RESULTS)) == RESULTS


def test_a_row_has_the_median_its_spread_and_the_ratio_to_go() -> None:
    assert "| wherry | 2.31 (2.20 to 2.40) | 1.10 | 1.50 | 20.0 | 2.0 |" in render(RESULTS)


def test_failures_and_absences_are_said_without_their_output() -> None:
    text = render(RESULTS)
    assert "| ko | failed | - | - | - | - |" in text
    assert "* ko: it failed in edit-push podinfo" in text
    assert "* Docker, BuildKit, cache mounts: dockerd is not installed" in text
    assert "secret" not in text


def test_only_measured_scenarios_have_a_part() -> None:
    text = render(RESULTS)
    assert "## One line edited → pushed to a local registry" in text
    assert "## Cold" not in text


def test_tools_are_named_for_what_they_do_in_a_scenario() -> None:
    version = Series(scenario="version", app="", tool="go", samples=(Sample(wall=0.1),))
    assert "| `go version` | 0.100 (0.100 to 0.100) | - |" in render(Results(facts=(), rounds=1, series=(version,)))


def test_a_bar_cannot_end_a_cell() -> None:
    assert table(("a",), (("x|y",),)) == "| a |\n| --- |\n| x\\|y |\n"


def test_what_is_measured_again_takes_its_place() -> None:
    new = Results(
        facts=(("date", "2026-02-03"), ("load before", "0.1"), ("wherry", "0.1.0")),
        rounds=3,
        series=(series("go", 1.0),),
    )
    other = Series(scenario="version", app="", tool="go", samples=(Sample(wall=0.1),))
    old = Results(facts=(("date", "2026-01-01"),), rounds=5, series=(*RESULTS.series, other))
    row = ("edit-push, again", "date 2026-02-03; load before 0.1; wherry 0.1.0")
    twice = again(again(old, new), new)
    assert (twice.series, twice.facts, twice.rounds) == ((other, series("go", 1.0)), (old.facts[0], row), 5)
