"""Every application of tests/apps gets the verdicts that docs/verdicts.md says under every other engine than runc, under which it
does in each test run. `WRITE_VERDICTS=1` writes the page anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.contained import case
from tests.support.tools import need
from tests.support.verdicts import ENGINES, MOST_UNKNOWN, Outcome, deserved, outcomes, rows, unlisted, write

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]


@pytest.fixture(scope="module", params=ENGINES[1:])
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, Outcome]]]:
    engine = request.param
    need(engine, "go")
    with case(engine, tmp_path_factory.mktemp(f"verdicts-{engine}")) as here, outcomes(here) as running:
        yield engine, {name: one.result() for name, one in running.items()}


def test_each_image_gets_what_it_deserves(found: tuple[str, dict[str, Outcome]]) -> None:
    engine, done = found
    write(engine, done)
    wrong = {
        name: one.why(*(one.failed(name) ^ deserved(name, engine))) or one.error
        for name, one in done.items()
        if one.failed(name) != deserved(name, engine)
    }
    assert wrong == {}


def test_unknowns_are_listed_and_few(found: tuple[str, dict[str, Outcome]]) -> None:
    engine, done = found
    assert rows().keys() == done.keys()
    assert unlisted(engine, done) == {}
    total = sum(len(one.verdicts) for one in done.values())
    assert sum(len(one.unknown) for one in done.values()) < total * MOST_UNKNOWN
