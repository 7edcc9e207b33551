"""Where caches live, and that they are private."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wherry.cache.folders import FORMAT, Folders, locate, prepare
from wherry.errors import RefusedError, UnavailableError
from wherry.system.environment import environment


@pytest.mark.parametrize(
    ("variables", "root"),
    [
        ({"WHERRY_CACHE_DIR": "/big/c/", "XDG_CACHE_HOME": "/x", "HOME": "/home/u"}, "/big/c"),
        ({"WHERRY_CACHE_DIR": "relative", "XDG_CACHE_HOME": "/x", "HOME": "/home/u"}, "/x/wherry"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/home/u"}, "/home/u/.cache/wherry"),
        ({"XDG_CACHE_HOME": "", "HOME": "/home/u/"}, "/home/u/.cache/wherry"),
        ({"HOME": "/"}, "/.cache/wherry"),
    ],
)
def test_the_place_is_what_the_environment_asks_for(variables: dict[str, str], root: str) -> None:
    assert locate(variables).root == root


@pytest.mark.parametrize("variables", [{}, {"HOME": "/home/u"}, {"XDG_CACHE_HOME": "/x"}, {"XDG_CACHE_HOME": "y"}])
def test_it_is_where_the_environment_port_says(variables: dict[str, str]) -> None:
    assert locate(variables).root == f"{environment(variables).cache_home}/wherry"


def test_a_user_the_machine_does_not_know_gets_a_folder_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert locate({}).root == "/tmp/wherry-54321/.cache/wherry"


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777 & ~0o700])
def test_every_folder_is_private_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        folders = prepare(Folders(str(tmp_path / "c")))
    finally:
        os.umask(before)
    below = [path for path in Path(folders.path).rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (Path(folders.path), *below)} == {0o700}
    assert len(below) == 9


def test_folders_made_open_by_somebody_are_closed(tmp_path: Path) -> None:
    (tmp_path / "c" / FORMAT / "records").mkdir(parents=True)
    (tmp_path / "c" / FORMAT / "records").chmod(0o777)
    folders = prepare(Folders(str(tmp_path / "c")))
    assert stat.S_IMODE(Path(folders.records).stat().st_mode) == 0o700


def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "c" / FORMAT).mkdir(parents=True)
    (tmp_path / "c" / FORMAT / "binaries").symlink_to(tmp_path / "precious")
    with pytest.raises(RefusedError) as caught:
        prepare(Folders(str(tmp_path / "c")))
    assert caught.value.name == "foreign-directory"


def test_a_file_in_place_of_the_cache_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("")
    with pytest.raises(UnavailableError) as caught:
        prepare(Folders(str(tmp_path / "c")))
    assert caught.value.name == "disk"


def test_another_format_is_another_folder(tmp_path: Path) -> None:
    newer = tmp_path / "c" / "2"
    newer.mkdir(parents=True)
    (newer / "records").write_text("of a later wherry")
    prepare(Folders(str(tmp_path / "c")))
    assert (newer / "records").read_text() == "of a later wherry"


def test_importing_it_costs_nothing() -> None:
    code = (
        "import sys, json, os, hashlib; before = set(sys.modules); import wherry.cache.folders;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["__future__", "collections.abc", "wherry", "wherry.cache", "wherry.cache.folders"]
