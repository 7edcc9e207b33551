"""Generated CI under other people's runners, twice on an empty machine: act with GitHub's own cache library, and gitlab-ci-local.
What each run had to fetch and compile is written to docs/oracles.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import opinions
from tests.support.ci_runners import Run, by_act, by_gitlab_ci_local
from tests.support.ci_runs import COUNTING, DEPENDENCY, OTHER, Bench, bench, generated
from tests.support.tools import need

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]
By = Callable[[Bench, Any, Path], Run]
RUNNERS: dict[str, tuple[str, By]] = {
    "act 0.2.89": (".github/workflows/shop.yaml", by_act),
    "gitlab-ci-local 4.75.1": (".gitlab-ci.yml", by_gitlab_ci_local),
}
AGAIN = 2
"""Packages that both jobs compile together for another commit: `main`, which carries it, and `greet` where act has the checkout
elsewhere than before."""
COUNTED = 5
"""With a module more: it and `greet` in both jobs, and `main`."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    need("go", "git", "rsync")
    with bench(tmp_path_factory.mktemp("ci")) as one:
        for service in ("github", "gitlab"):
            generated(one, service)
        one.mark("begin")
        yield one


@pytest.fixture(scope="module")
def rows() -> Iterator[list[tuple[str, ...]]]:
    """Written down when both runners have run."""
    kept: list[tuple[str, ...]] = []
    yield kept
    if len(kept) == len(RUNNERS) * 3:
        opinions.record(
            "CI runners",
            "The jobs `test` and `build` of `wherry generate ci`, each on a machine that has only what its caches bring: a first",
            "run, another commit, and one that needs a module more. act has GitHub's library `@actions/cache` 6.3.0 and a",
            "cache server of its own. Left out: the race detector, checks that compile tools, and `wherry prove`.",
            "",
            *opinions.table(("runner", "run", "modules fetched", "packages compiled", "seconds"), tuple(kept)),
            "",
            *opinions.versions(),
        )


@pytest.mark.parametrize("name", RUNNERS)
def test_a_second_run_fetches_nothing(name: str, made: Bench, rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    path, by = RUNNERS[name]
    made.back("begin")
    document = made.parsed(path)
    first = by(made, document, tmp_path)
    assert first.downloads == (DEPENDENCY, DEPENDENCY), first.said
    made.change("nothing", {})
    second = by(made, document, tmp_path)
    assert second.downloads == (), second.said
    assert second.compiled <= AGAIN
    made.change("counting", {**made.require(OTHER), "greet/greet.go": COUNTING})
    third = by(made, document, tmp_path)
    assert third.downloads == (OTHER, OTHER), third.said
    assert third.compiled <= COUNTED
    assert first.compiled > 40, "the standard library, in each job"
    for run, one in (("first", first), ("second", second), ("one module more", third)):
        rows.append((name, run, str(len(one.downloads)), str(one.compiled), f"{one.seconds:.0f}"))
