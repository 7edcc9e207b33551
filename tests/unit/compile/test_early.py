"""Compiling begun early: waited for, given up, or failed."""

import time
from pathlib import Path

import pytest

from tests.support.compiling import compilation, module, unique, workplace
from wherry.compile import start
from wherry.errors import BuildError, UnavailableError
from wherry.kit.ports import Command, Completed
from wherry.system.processes import Processes


class Sleeping(Processes):
    """A port whose go sleeps."""

    def __call__(self, command: Command, /) -> Completed:
        return super().__call__(Command(argv=("/bin/sleep", "60")))


def test_waiting_gives_the_binaries(tmp_path: Path) -> None:
    what = (compilation(module(tmp_path / "app")),)
    job = start(what, workplace(tmp_path / "work", root=tmp_path / "app"), Processes())
    assert job.compilations == what
    assert Path(job.wait().binaries[0].file).is_file()


def test_waiting_gives_the_error(tmp_path: Path) -> None:
    what = compilation(module(tmp_path / "app", {"main.go": "package main\n\nfunc main() { nope() }\n"}))
    job = start((what,), workplace(tmp_path / "work", root=tmp_path / "app"), Processes())
    with pytest.raises(BuildError, match="cannot be compiled"):
        job.wait()


@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_cancelling_is_prompt_and_leaves_no_child(delay: float, tmp_path: Path) -> None:
    what = compilation(module(tmp_path / "app", {"main.go": unique()}))
    run = Sleeping()
    job = start((what,), workplace(tmp_path / "work", root=tmp_path / "app"), run)
    time.sleep(delay)
    begin = time.monotonic()
    job.cancel()
    assert time.monotonic() - begin < 30, "go sleeps longer"
    with pytest.raises(UnavailableError) as caught:
        run(Command(argv=("/bin/true",)))
    assert caught.value.name == "stopped"


def test_a_cancelled_real_build_can_be_done_again(tmp_path: Path) -> None:
    what = (compilation(module(tmp_path / "app", {"main.go": unique()})),)
    place = workplace(tmp_path / "work", root=tmp_path / "app")
    for delay in (0.0, 0.05, 0.1, 0.15):
        job = start(what, place, Processes())
        time.sleep(delay)
        job.cancel()
    assert Path(start(what, place, Processes()).wait().binaries[0].file).is_file()
