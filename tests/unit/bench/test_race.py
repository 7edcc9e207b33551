"""Races between small shell commands: turns, warm-up, failures."""

from pathlib import Path

import pytest

from bench.images import EditMissingError
from bench.race import Contender, Race, turned
from bench.sample import Call


def shell(folder: Path, script: str, *, own_clock: bool = False) -> tuple[Call, ...]:
    environment = (("PATH", "/usr/bin:/bin"),)
    return (Call(argv=("/bin/sh", "-c", script), directory=str(folder), environment=environment, own_clock=own_clock),)


def contender(folder: Path, name: str, script: str = "") -> Contender:
    return Contender(tool=name, calls=lambda: shell(folder, script or f"echo {name} >>order"))


def race(folder: Path, *groups: tuple[Contender, ...], rounds: int = 2, warm: bool = True) -> Race:
    return Race(scenario="edit-layout", app="app", groups=groups, rounds=rounds, warm=warm)


def test_everybody_runs_once_a_round_and_another_begins_each_time(tmp_path: Path) -> None:
    a, b, c = (contender(tmp_path, name) for name in "abc")
    found = race(tmp_path, (a, b), (c,)).run(tmp_path / "log")
    assert (tmp_path / "order").read_text().split() == ["a", "b", "c", "c", "a", "b", "a", "b", "c"]
    assert [(one.tool, len(one.samples)) for one in found] == [("a", 2), ("b", 2), ("c", 2)]


def test_a_race_that_must_be_cold_has_no_uncounted_round(tmp_path: Path) -> None:
    race(tmp_path, (contender(tmp_path, "a"),), warm=False).run(tmp_path / "log")
    assert (tmp_path / "order").read_text().split() == ["a", "a"]


def test_who_fails_is_out_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = contender(tmp_path, "bad", "echo why; exit 3"), contender(tmp_path, "good")
    first, second = race(tmp_path, (bad,), (good,)).run(tmp_path / "log")
    assert (first.samples, first.failed) == ((), "sh ended with 3: why")
    assert len(second.samples) == 2
    assert "bad failed" in capsys.readouterr().err


def test_an_image_without_the_edit_is_no_result(tmp_path: Path) -> None:
    def look() -> int:
        raise EditMissingError("the layout does not hold x")

    cheat = contender(tmp_path, "cheat")
    cheat.look = look
    (found,) = race(tmp_path, (cheat,)).run(tmp_path / "log")
    assert found.samples == ()
    assert "does not hold x" in found.failed


def test_preparation_comes_before_every_run_with_its_number(tmp_path: Path) -> None:
    numbers: list[int] = []
    one = contender(tmp_path, "a")
    one.ready = numbers.append
    race(tmp_path, (one,)).run(tmp_path / "log")
    assert numbers == [0, 1, 2]


def test_no_groups_need_no_turns() -> None:
    assert turned((), 3) == ()
