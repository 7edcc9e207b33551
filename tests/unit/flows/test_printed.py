"""What a printed unit gives wherry that systemd would not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from wherry.flows.container import Made
from wherry.flows.printed import _variables
from wherry.kit.ports import Machine
from wherry.runtime.units import PATHS

HERE = {"go": "/opt/go/bin/go", "git": "/usr/bin/git"}
OWN = (("HOME", "/home/a"), ("WHERRY_RUN_DIR", "/run/a"))


def machine() -> Machine:
    known = (*OWN, ("TOKEN", "x"), ("PATH", "/opt/go/bin"))
    return cast(Machine, SimpleNamespace(variables=known, which=HERE.get))


@pytest.mark.parametrize(
    ("plan", "runtime", "path"),
    [
        (object(), "/usr/bin/runc", f"/opt/go/bin:{PATHS}"),
        (object(), "/opt/runc", f"/opt:/opt/go/bin:{PATHS}"),
        (None, "/usr/bin/runc", ""),
    ],
    ids=["package", "runtime", "image"],
)
def test_a_unit_has_the_folders_of_programs_a_home_and_wherrys_settings(plan: Any, runtime: str, path: str) -> None:
    made = SimpleNamespace(subject=SimpleNamespace(plan=plan), runtime=SimpleNamespace(program=runtime))
    assert _variables(cast(Made, made), machine()) == ((("PATH", path),) if path else ()) + OWN
