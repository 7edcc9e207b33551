"""Programs come from PATH alone, never from where the user happens to be (A13)."""

from pathlib import Path

import pytest

from wherry.system.programs import programs


def program(folder: Path, name: str = "tool", mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return file


def test_the_first_executable_on_the_path_wins(tmp_path: Path) -> None:
    program(tmp_path / "a", mode=0o644)
    (tmp_path / "b/tool").mkdir(parents=True)
    wanted = program(tmp_path / "c")
    program(tmp_path / "d")
    which = programs(":".join(str(tmp_path / name) for name in "abcd"))
    assert which("tool") == str(wanted)
    assert which("other") == ""


@pytest.mark.parametrize("path", ["", ".", ":", "bin", "./bin:", "../repo"])
def test_relative_and_empty_entries_do_not_count(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "repo")
    program(tmp_path / "repo/bin")
    monkeypatch.chdir(tmp_path / "repo")
    assert programs(path)("tool") == ""


def test_nothing_inside_the_repository_counts(tmp_path: Path) -> None:
    repo, outside = tmp_path / "repo", tmp_path / "outside"
    program(repo / "bin")
    outside.mkdir()
    (outside / "tool").symlink_to(repo / "bin/tool")
    (tmp_path / "link").symlink_to(repo / "bin")
    path = f"{repo}/bin:{tmp_path}/link:{outside}"
    assert programs(path, root=str(repo))("tool") == ""
    assert programs(path, root=str(tmp_path / "rep"))("tool") == f"{repo}/bin/tool"


@pytest.mark.parametrize("name", ["", "a/tool", "./tool", "/bin/sh", "to\0ol"])
def test_only_bare_names_are_looked_for(name: str) -> None:
    assert programs("/bin:/usr/bin")(name) == ""
