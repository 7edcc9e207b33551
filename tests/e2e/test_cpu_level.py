"""Programs for newer processors than there are: said before the start where the image says it, else in the program's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import apps
from tests.support.cli import wherry
from tests.support.servers import need_root
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("apps")]


def test_a_processor_that_no_machine_has(tmp_path: Path) -> None:
    need("go", "git", "runc")
    need_root()
    words = ("prove", apps.place("cpu-level"), "--platform", "linux/amd64/v4", "--only", "start")
    done = wherry(*words, home=tmp_path / "home", cwd=tmp_path)
    said = done.stdout + done.stderr
    assert "v4" in said
    assert (done.code == 1 and "FAIL" in said) or (done.code == 4 and "[cpu-level]" in said), said


def test_an_image_for_another_level_is_no_image_for_this_machine(tmp_path: Path) -> None:
    need("go", "git", "runc")
    done = wherry("run", apps.place("hello-v4"), home=tmp_path / "home", cwd=tmp_path)
    assert done.code == 2
    assert "[no-platform]" in done.stderr
    assert "it has linux/amd64/v4" in done.stderr
