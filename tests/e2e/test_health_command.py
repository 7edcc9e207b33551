"""A health command that does not end: it is killed inside, too, and counts as a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.contained import case, image
from tests.support.runbook import need_exec
from wherry.flows.health import probe
from wherry.model.plan import Health
from wherry.runtime.look import family

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
        bad = probe(one.one, Health(command=("/app/does", "exit", "3"), timeout=5.0), found.machine)
        assert (bad.well, bad.said) == (False, "going")
        good = probe(one.one, Health(command=("/app/does", "exit", "0"), timeout=5.0), found.machine)
        assert good.well
