"""Programs for newer processors than there are: said before the start where the image says it, else in the program's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import apps
from tests.support.cli import wherry
from tests.support.contained import case
from tests.support.ports import HOST
from tests.support.servers import need_root
from tests.support.tools import need
from wherry.errors import UsageError
from wherry.flows import subject
from wherry.runtime.program import CPUINFO, LEVELS, level

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("apps"),
    pytest.mark.skipif(HOST.architecture != "amd64", reason="levels are amd64's"),
]


def test_a_processor_that_no_machine_has(tmp_path: Path) -> None:
    need("go", "git", "runc")
    need_root()
    words = ("prove", apps.place("cpu-level"), "--platform", "linux/amd64/v4", "--only", "start")
    done = wherry(*words, home=tmp_path / "home", cwd=tmp_path)
    said = done.stdout + done.stderr
    assert "v4" in said
    assert (done.code == 1 and "FAIL" in said) or (done.code == 4 and "[cpu-level]" in said), said


def test_an_image_for_a_level_runs_where_the_processor_has_it(tmp_path: Path) -> None:
    """Without --platform; elsewhere it is no image for this machine."""
    need("go", "git", "runc")
    done = wherry("run", "-q", apps.place("hello-v4"), home=tmp_path / "home", cwd=tmp_path)
    if level(CPUINFO.read_text()) == "v4":
        assert (done.code, done.stdout) == (0, "hello\n"), done.stderr
    else:
        assert (done.code, "[no-platform]" in done.stderr, "it has linux/amd64/v4" in done.stderr) == (2, True, True)


@pytest.mark.parametrize(
    ("flags", "fits"), [("v2 v3 v4", True), ("v2 v3", False), ("v2", False), ("", False)], ids=["v4", "v3", "v2", "v1"]
)
def test_on_every_processor(flags: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("go", "git", "runc")
    words = " ".join(LEVELS[one] for one in flags.split())
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {words}\n")
    monkeypatch.setattr(subject, "CPUINFO", tmp_path / "cpuinfo")
    with case("runc", tmp_path) as engine:
        if fits:
            assert str(engine.made(apps.place("hello-v4")).subject.platform) == "linux/amd64/v4"
            assert str(engine.made(apps.place("hello")).subject.platform) == "linux/amd64", "the baseline comes first"
        else:
            with pytest.raises(UsageError, match=r"no image for linux/amd64$") as caught:
                engine.made(apps.place("hello-v4"))
            assert caught.value.name == "no-platform"
