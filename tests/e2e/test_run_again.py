"""`wherry run PACKAGE` again: when nothing changed, neither Go nor git is asked, and what an edit changed is what runs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support import examples
from tests.support.cli import Done, wherry
from tests.support.servers import need_root
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that gets a line whenever git is started, or Go is looked for."""
    need("go", "git", "runc")
    need_root()
    log, folder = tmp_path / "asked", tmp_path / "bin"
    folder.mkdir()
    log.touch()
    for name in ("go", "git"):
        real = shutil.which(name)
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\nexec {real} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


class Package:
    """A copy of an example, and runs of it that share a home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = examples.repository("cli", folder)
        self.edit("time.Now().In(place).Hour()", "len(place.String())")  # what it says does not change at noon
        folder.chmod(0o755)

    def run(self, *words: str) -> Done:
        variables = {"PATH": os.environ["PATH"], "WHERRY_RUN_DIR": str(self.folder / "run")}
        done = wherry("run", "-q", *words, home=self.folder / "home", cwd=self.root, **variables)
        assert done.code == 0, done.stderr
        return done

    def edit(self, old: str, new: str) -> None:
        (file,) = (one for one in self.root.rglob("*.go") if old in one.read_text())
        file.write_text(file.read_text().replace(old, new))


def test_nothing_changed(asked: Path, tmp_path: Path) -> None:
    package = Package(tmp_path)
    first = package.run()
    assert "go env" in asked.read_text()
    assert "git ls-files" in asked.read_text()
    asked.write_text("")
    again = package.run()
    assert asked.read_text() == ""
    assert again.stdout == first.stdout
    other = package.run("--memory", "64m", "-e", "LANG=C")
    assert asked.read_text() == "", "how it runs is not what it is"
    assert other.stdout == first.stdout


def test_other_settings_are_another_program(asked: Path, tmp_path: Path) -> None:
    package = Package(tmp_path)
    first = package.run()
    for words in (("--set", "build.tags=other"), ("--set=build.tags=other",)):
        asked.write_text("")
        package.run(*words)
        assert "go env" in asked.read_text(), "what is known is of other flags"
    asked.write_text("")
    assert package.run().stdout == first.stdout
    assert asked.read_text() == "", "and what was said once is of that run alone"


def test_an_edit_is_what_runs(asked: Path, tmp_path: Path) -> None:
    package = Package(tmp_path)
    package.run()
    package.run()
    package.edit('"good ', '"fine ')
    asked.write_text("")
    assert "fine " in package.run().stdout
    assert "go env" in asked.read_text()
    assert "git ls-files" not in asked.read_text(), "a string in a function changes no list of files"


def test_a_program_that_was_taken_away_is_made_again(asked: Path, tmp_path: Path) -> None:
    package = Package(tmp_path)
    first = package.run()
    shutil.rmtree(tmp_path / "run/programs")
    assert package.run().stdout == first.stdout
    assert asked.read_text()


def test_few_programs_are_kept(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Package(tmp_path)
    for number in range(7):
        package.edit('"good ', f'"good {number} ') if not number else package.edit(
            f"good {number - 1} ", f"good {number} "
        )
        package.run()
        for one in (tmp_path / "run/programs/greet").iterdir():
            os.utime(one, (number, number))  # old enough to go
    assert len(list((tmp_path / "run/programs/greet").iterdir())) <= 5
    assert asked.read_text()
