"""Health by a command inside: one that does not end is killed there, too; a proof believes what it says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import apps, odd_apps
from tests.support.contained import SOURCE, Case, case, image
from tests.support.ports import ports
from tests.support.programs_in_c import compiled
from tests.support.runbook import need_exec
from tests.support.tools import need
from wherry.flows.container import RunRequest
from wherry.flows.health import probe
from wherry.flows.prove import ProveRequest, prove
from wherry.model.image import Built
from wherry.model.observation import Expectations
from wherry.model.plan import Health
from wherry.model.verdict import Verdict
from wherry.oci.config import Healthcheck
from wherry.oci.tar import Entry
from wherry.runtime.look import family
from wherry.store import place as places
from wherry.store.places import at

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]


@pytest.mark.parametrize("engine", ["runc", "crun"])
def test_nothing_of_it_stays(engine: str, tmp_path: Path) -> None:
    need_exec()
    tmp_path.chmod(0o755)
    with case(engine, tmp_path) as found, found.started(image()) as one:
        one.said("host")
        slow = probe(one.one, Health(command=("/app/does", "stay"), timeout=0.7), found.machine)
        assert (slow.well, slow.said) == (False, "it did not end in 0.7 s")
        assert family(one.pid) == (one.pid,), "only the program itself, and no zombie"
        bad = probe(one.one, Health(command=("/app/does", "exit", "3"), timeout=30.0), found.machine)
        assert (bad.well, bad.said) == (False, "going")
        good = probe(one.one, Health(command=("/app/does", "exit", "0"), timeout=30.0), found.machine)
        assert good.well


LATE = """\
#!/bin/sh
case " $* " in *" exec "*) sleep 1.5 ;; esac
exec {runc} "$@"
"""


def test_one_that_starts_when_its_time_is_over_is_killed_too(tmp_path: Path) -> None:
    """On a busy machine."""
    need_exec()
    tmp_path.chmod(0o755)
    late = tmp_path / "runc"
    late.write_text(LATE.format(runc=shutil.which("runc")))
    late.chmod(0o755)
    with case("runc", tmp_path) as found, found.started(image()) as one:
        one.said("host")
        slow = replace(one.one, runtime=replace(one.one.runtime, program=str(late)))
        seen = probe(slow, Health(command=("/app/does", "stay"), timeout=0.3), found.machine)
        assert (seen.well, seen.said) == (False, "it did not end in 0.3 s")
        assert family(one.pid) == (one.pid,)


@pytest.fixture(scope="module", params=["runc", "docker"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    need(request.param)
    need_exec()
    with case(request.param, tmp_path_factory.mktemp("engine")) as found:
        yield found


CHECKS = ("start", "health", "drain", "random-uid")


def verdicts(engine: Case, place: str, *, start: float = 30.0) -> dict[str, Verdict]:
    """`start`: seconds that are waited for what never gets healthy; a busy machine may need more for what does."""
    request = RunRequest(subject=place, engine=engine.engine)
    wanted = Expectations(start=start, tries=1)
    proof = prove(ProveRequest(run=request, only=CHECKS, expectations=wanted), engine.machine)
    return {one.check: one for one in proof.verdicts}


def with_check(folder: Path, program: str, *command: str, **config: object) -> str:
    """The place of the image of `program` with this health command."""
    check = Healthcheck(test=("CMD", *command), timeout=20_000_000_000)
    archives = (odd_apps.tree(Entry(path="app/does", mode=0o555, content=does(folder))),)
    fault = odd_apps.Fault(base=program, archives=archives, config={"healthcheck": check, **config})
    made = odd_apps.changed(apps.made(program).image, fault, folder)
    where = f"oci:{folder}/layout:{program}"
    at(places.parse(where), ports(folder)).publish(Built(name=program, version="1", content=made))
    return where


def does(folder: Path) -> bytes:
    """The program of tests.support.contained."""
    return compiled(folder / "does", SOURCE, "-static").read_bytes()


def test_its_command_is_asked_in_a_proof(engine: Case) -> None:
    found = verdicts(engine, apps.place("selfhealth"))
    assert (found["health"].outcome, found["health"].summary) == ("PASS", "/app/selfhealth health ended with 0")
    assert (found["start"].outcome, found["random-uid"].outcome) == ("PASS", "PASS")
    assert found["start"].summary.startswith("healthy after ")
    assert found["start"].summary.endswith(", /app/selfhealth health")


def test_a_command_that_fails_is_a_fault_of_health(engine: Case, tmp_path: Path) -> None:
    """It listens and works; what it says of itself is what counts for whoever asks."""
    found = verdicts(engine, with_check(tmp_path, "good", "good", "health"), start=6.0)
    assert (found["health"].outcome, found["health"].summary) == ("FAIL", "good health failed")
    assert any("address already in use" in line for line in found["health"].seen), found["health"]
    assert (found["start"].outcome, found["drain"].outcome) == ("UNKNOWN", "UNKNOWN"), found
    assert found["random-uid"].outcome == "UNKNOWN", "as its own user it is not well, either"


def test_a_command_that_is_not_there(engine: Case, tmp_path: Path) -> None:
    found = verdicts(engine, with_check(tmp_path, "good", "/no/such/check"), start=6.0)
    assert found["health"].outcome == "FAIL"
    assert "/no/such/check" in " ".join(found["health"].seen)


@pytest.mark.parametrize(("code", "outcome"), [("0", "PASS"), ("4", "FAIL")])
def test_what_listens_nowhere_is_asked_too(engine: Case, tmp_path: Path, code: str, outcome: str) -> None:
    """A worker: its command is all there is to ask."""
    worker = {"entrypoint": ("/app/does",), "cmd": ("wait",)}
    place = with_check(tmp_path, "hello", "/app/does", "exit", code, **worker)
    found = verdicts(engine, place, start=30.0 if outcome == "PASS" else 6.0)
    assert (found["start"].outcome, found["health"].outcome) == ("PASS", outcome), found
    assert found["start"].summary.startswith("healthy after") == (outcome == "PASS")
