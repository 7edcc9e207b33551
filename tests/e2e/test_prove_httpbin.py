"""go-httpbin, which ./demo proves: nothing fails, and only what it has no route for is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import wherry
from tests.support.contained import case
from tests.support.tools import need
from wherry.flows.container import RunRequest
from wherry.flows.prove import ProveRequest, prove
from wherry.model.observation import Expectations

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("engines")]

PACKAGE = "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0"


def test_what_the_demo_relies_on(tmp_path: Path) -> None:
    need("runc", "go")
    place = f"oci:{tmp_path}/layout:x"
    built = wherry("build", PACKAGE, "-o", place, home=tmp_path, cwd=tmp_path)
    assert built.code == 0, built.stderr
    with case("runc", tmp_path) as one:
        run = RunRequest(subject=place, engine="runc")
        request = ProveRequest(run=run, expectations=Expectations(slow_route="/delay/2"))
        found = prove(request, one.machine).verdicts
    assert {one.check for one in found if one.outcome == "FAIL"} == set(), found
    assert {one.check for one in found if one.outcome == "UNKNOWN" and not one.host} == {"health", "ready"}, found
