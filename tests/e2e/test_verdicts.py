"""Every application of tests/apps gets exactly the verdicts that it deserves; docs/verdicts.md is the table of them.

A row of tests/apps/README.md says which checks must fail; no other may. UNKNOWNs are no passes: each is listed in the table, with
how many they may be, and one that is not listed fails here. `WRITE_VERDICTS=1` writes the table anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import apps
from tests.support.contained import Case, case
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.flows.container import RunRequest
from wherry.flows.prove import ProveRequest, prove
from wherry.judge import CHECKS
from wherry.model.container import Options
from wherry.model.observation import Expectations
from wherry.model.verdict import Verdict

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("verdicts")]

TABLE = Path(__file__).parents[2] / "docs/verdicts.md"
WANTED = Expectations(start=4.0, slow_route="/slow", ready_route="/readyz", tries=1, size=12_000_000)
OPTIONS = Options(grace=3.0)
AT_ONCE = 3
#: Of another processor than this machine's: tests/e2e/test_trials.py (under qemu), test_cpu_level.py, test_runs.py.
ELSEWHERE = ("good-arm64", "hello-arm64", "hello-v4", "cpu-level", "other-index", "good-both")
#: No container can be decided, so there is nothing to look at: the error says the fault.
REFUSED = {"no-command": "no-command", "unknown-user": "bad-user"}
#: What a machine that is busy with other tests may add: the application takes all processors.
TOLERATED = {"burns": {"drain", "ready", "start"}}
AT_FIRST_SIGHT = {"user", "capabilities", "privileges", "seccomp", "apparmor", "isolation"}
ENDING = ("hello",)
MEASURED = {"cpu"}
"""What a machine that is busy with other tests cannot tell apart, and says so."""
MOST_UNKNOWN = 0.15
"""Of all verdicts on all images; most of them are of images that cannot be started."""
ENGINES = ("crun", "docker", "podman")
#: Under the other engines: one of each kind of look.
SOME = ("good", "nosigterm", "writes", "leaks", "needsca", "as-root", "missing-program")
NAMES = tuple(name for name in apps.verdicts() if name not in ELSEWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What `wherry prove` said of one image."""

    verdicts: tuple[Verdict, ...] = ()
    error: str = ""

    def names(self, outcome: str) -> set[str]:
        return {one.check for one in self.verdicts if one.outcome == outcome}

    def unknown(self, name: str) -> set[str]:
        """Those that say something of the image: what this machine cannot show is left out. Of what ends at once it is chance
        whether somebody could look at it."""
        found = {one.check for one in self.verdicts if one.outcome == "UNKNOWN" and not one.host}
        return found | AT_FIRST_SIGHT if "start" in self.names("FAIL") or name in ENDING else found


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Outcome]]]:
    """All of them, several at a time: a proof mostly waits."""
    need("runc", "go")
    places = {name: apps.place(name) for name in NAMES}
    with case("runc", tmp_path_factory.mktemp("verdicts")) as engine, ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(proved, place, engine) for name, place in places.items()}


def proved(place: str, engine: Case) -> Outcome:
    grace = OPTIONS.grace if engine.engine == "runc" else 6.0  # to signal by a client takes a while
    run = RunRequest(subject=place, options=replace(OPTIONS, grace=grace), engine=engine.engine)
    try:
        return Outcome(verdicts=prove(ProveRequest(run=run, expectations=WANTED), engine.machine).verdicts)
    except WherryError as error:
        return Outcome(error=error.name)


@pytest.mark.parametrize("name", NAMES)
def test_it_gets_what_it_deserves(name: str, outcomes: dict[str, Future[Outcome]]) -> None:
    found = outcomes[name].result()
    assert found.error == REFUSED.get(name, "")
    if found.error:
        return
    deserved = set(apps.verdicts()[name].fails)
    failed = found.names("FAIL") - TOLERATED.get(name, set())
    assert failed == deserved, [one for one in found.verdicts if one.check in failed ^ deserved]
    assert [one.check for one in found.verdicts] == [check.name for check in CHECKS]


@pytest.fixture(scope="module", params=ENGINES)
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """SOME of them under another engine."""
    need(request.param, "go")
    places = {name: apps.place(name) for name in SOME}
    with case(request.param, tmp_path_factory.mktemp("elsewhere")) as engine, ThreadPoolExecutor(AT_ONCE) as pool:
        proofs = pool.map(lambda name: proved(places[name], engine), SOME)
        yield dict(zip(SOME, proofs, strict=True))


@pytest.mark.xdist_group("engines")
def test_other_engines_say_the_same(elsewhere: dict[str, Outcome]) -> None:
    found = {name: one.names("FAIL") | ({one.error} if one.error else set()) for name, one in elsewhere.items()}
    assert found == {name: set(apps.verdicts()[name].fails) for name in SOME}
    assert elsewhere["good"].unknown("good") <= {"rootfs"}, elsewhere["good"].verdicts


def test_unknowns_are_listed_and_few(outcomes: dict[str, Future[Outcome]]) -> None:
    found = {name: one.result() for name, one in outcomes.items()}
    if os.environ.get("WRITE_VERDICTS"):
        TABLE.write_text(table(found))
    listed = rows()
    assert listed.keys() == found.keys()
    extra = {
        name: one.unknown(name) - listed[name][1] - MEASURED for name, one in found.items() if name not in TOLERATED
    }
    assert {name: those for name, those in extra.items() if those} == {}
    total = sum(len(one.verdicts) for one in found.values())
    assert sum(len(one.unknown(name)) for name, one in found.items()) < total * MOST_UNKNOWN
    assert not found["good"].unknown("good")


def test_the_table_is_that_of_the_applications() -> None:
    for name, (failed, _) in rows().items():
        deserved = set(apps.verdicts()[name].fails)
        assert failed == (deserved if name not in REFUSED else {f"error {REFUSED[name]}"}), name


def test_each_check_has_an_application_that_must_fail_it() -> None:
    """Removing a check breaks its application's row. What wherry itself always sets has none: see the other tests."""
    by_wherry = {"capabilities", "privileges", "seccomp", "apparmor", "isolation"}
    beyond = {check for name in ELSEWHERE if name in apps.verdicts() for check in apps.verdicts()[name].fails}
    covered = {check for name in NAMES for check in apps.verdicts()[name].fails}
    assert {check.name for check in CHECKS} - covered - beyond - by_wherry == set()


def test_what_is_relaxed_fails(outcomes: dict[str, Future[Outcome]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The checks of what wherry always sets: they fail where it is switched off, so they look."""
    options = Options(relax=("privileges", "seccomp", "rootfs"))
    only = ("capabilities", "privileges", "seccomp", "isolation", "user", "rootfs")
    with case("runc", tmp_path_factory.mktemp("relaxed")) as engine:
        run = RunRequest(subject=apps.place("good"), options=options, engine="runc")
        found = prove(ProveRequest(run=run, only=only, expectations=WANTED), engine.machine).verdicts
    assert {one.check for one in found if one.outcome == "FAIL"} == {"privileges", "seccomp", "rootfs"}


def rows() -> dict[str, tuple[set[str], set[str]]]:
    """Image → checks that fail and that are unknown, as the table says."""
    found = {}
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            found[cells[0].strip("`")] = (_names(cells[2]), _names(cells[3]))
    return found


def _names(cell: str) -> set[str]:
    return {name for name in cell.split(", ") if name}


def table(found: dict[str, Outcome]) -> str:
    """The page."""
    unknown = sum(len(one.unknown(name)) for name, one in found.items())
    total = sum(len(one.verdicts) for one in found.values())
    lines = [
        "# The verdicts that faulty applications get",
        "",
        "Made by `tests/e2e/test_verdicts.py`, which proves each of these images under runc; each other verdict fails it.",
        f"Of {total} verdicts on {len(found)} images {unknown} are UNKNOWN beside those that the machine could not show of any",
        "image (AppArmor); most of them are of images that do not start, so that there is nothing to look at.",
        f"Under {', '.join(ENGINES)} the same test proves {', '.join(SOME)}.",
        "",
        "| image | its one fault | FAIL | UNKNOWN |",
        "|---|---|---|---|",
    ]
    for name, one in found.items():
        failed = (
            f"error {one.error}" if one.error else ", ".join(_in_order(one.names("FAIL") - TOLERATED.get(name, set())))
        )
        lines.append(
            f"| `{name}` | {apps.verdicts()[name].fault} | {failed} | {', '.join(_in_order(one.unknown(name)))} |"
        )
    return "\n".join((*lines, ""))


def _in_order(names: set[str]) -> list[str]:
    return [check.name for check in CHECKS if check.name in names]
