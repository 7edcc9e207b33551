"""Slips with `wherry run` and its like that are told before anything is built or started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.analysis import write
from tests.support.cli import Done, wherry
from tests.support.refusals import only

pytestmark = pytest.mark.e2e

APP: dict[str, str | bytes] = {
    "go.mod": "module example.com/app\n\ngo 1.24\n",
    "cmd/api/main.go": "package main\n\nfunc main() {}\n",
}


def said(tmp_path: Path, *words: str) -> Done:
    return wherry(*words, home=tmp_path / "home", cwd=write(tmp_path / "app", APP))


@pytest.mark.parametrize(
    ("words", "name", "where"),
    [
        (("run", "--env-file", "nope.env"), "no-such-file", "--env-file nope.env"),
        (("prove", "--env-file", "nope.env"), "no-such-file", "--env-file nope.env"),
        (("profile", "-o", "nope/x.json"), "no-such-folder", "-o nope/x.json"),
        (("profile", "-o", "cmd"), "usage", "-o cmd"),
        (("prove", "--junit", "nope/x.xml"), "no-such-folder", "--junit nope/x.xml"),
        (("prove", "--sarif", "nope/x.sarif"), "no-such-folder", "--sarif nope/x.sarif"),
    ],
)
def test_files_that_are_not_there(words: tuple[str, ...], name: str, where: str, tmp_path: Path) -> None:
    refusal = only(said(tmp_path, *words), name, 2)
    assert refusal.rows("where") == [where]
    assert not list((tmp_path / "home").rglob("programs")), "nothing was compiled"


def test_a_secret_without_a_file_shows_how_one_is_written(tmp_path: Path) -> None:
    refusal = only(said(tmp_path, "run", "--secret", "token"), "bad-volume", 2)
    assert refusal.rows("next") == ["--secret NAME=FILE, for instance --secret token=./token.txt"]


@pytest.mark.parametrize("verb", ["run", "prove", "profile"])
def test_a_word_that_is_neither_image_nor_program(verb: str, tmp_path: Path) -> None:
    refusal = only(said(tmp_path, verb, "nosuchimage"), "no-image-or-package", 2)
    assert "wherry's store" in refusal.text
    assert "wherry build " in refusal.text
    assert "wherry pull REGISTRY/nosuchimage" in refusal.text


def test_a_word_in_a_folder_without_a_repository(tmp_path: Path) -> None:
    refusal = only(wherry("run", "nosuchimage", home=tmp_path, cwd=tmp_path), "no-image-or-package", 2)
    assert "no go.mod" in refusal.text
