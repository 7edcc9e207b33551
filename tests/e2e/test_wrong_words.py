"""A mistake in each option: one usage error that names the option as the user wrote it, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.analysis import write
from tests.support.cli import wherry
from tests.support.refusals import Refusal, only
from tests.support.tools import need

pytestmark = pytest.mark.e2e

GO_MOD = "module example.com/app\n\ngo 1.24\n"
MAIN = 'package main\n\nfunc main() { println("hello") }\n'
APP: dict[str, str | bytes] = {"go.mod": GO_MOD, "main.go": MAIN}

#: Words behind `wherry build`, the error's name, what it says.
EMPTY = ("--platform", "--base", "-t", "-o", "-C", "--set", "--toolchain", "--metadata-file", "--pass-env")
WRONG: tuple[tuple[str, str, str], ...] = (
    *((f"{flag}|", "usage", f"{flag}'") for flag in EMPTY),
    ("|", "usage", "[PACKAGE]"),
    ("-j|0", "usage", "'--jobs'"),
    ("-j|-1", "usage", "'--jobs'"),
    ("--platform|linux/amd46", "unknown-platform", "where --platform linux/amd46 next did you mean linux/amd64?"),
    ("--platform|linux/amd64,", "unknown-platform", "where --platform linux/amd64, next use for instance linux/amd64"),
    ("--base|UPPER", "bad-base", "where --base UPPER"),
    ("-t|UPPER", "bad-reference", "where -t UPPER"),
    ("-t|a:{x}", "bad-template", "where -t a:{x}"),
    ("-o|oci:", "bad-place", "where -o oci: next write it like oci:DIR"),
    ("-o|oci", "bad-place", "where -o oci next write oci:DIR"),
    ("-o|docker-daemon:UP", "bad-reference", "where -o docker-daemon:UP"),
    ("--toolchain|x", "bad-toolchain", "where --toolchain"),
    ("--set|image.user=x", "user-name", "where --set image.user"),
)


@pytest.mark.parametrize(("words", "name", "says"), WRONG, ids=[row[0] for row in WRONG])
def test_a_mistake_in_an_option_names_it(words: str, name: str, says: str, tmp_path: Path) -> None:
    assert says in refused(tmp_path, *words.split("|"), name=name).text


def test_a_bad_limit_of_the_cache_is_said_by_its_name(tmp_path: Path) -> None:
    root, home = write(tmp_path / "app", APP), tmp_path / "home"
    for words in ("--limit BAD", "--limit="):
        refusal = only(wherry("cache", "prune", *words.split(), home=home, cwd=root), *PRUNE[words])
        assert "--limit" in refusal.text
        assert "WHERRY_CACHE_LIMIT" not in refusal.text
    early = only(wherry("build", home=home, cwd=root, WHERRY_CACHE_LIMIT="x"), "bad-cache-limit", 2)
    assert early.rows("where") == ["WHERRY_CACHE_LIMIT=x"]
    assert not (home / "data").exists(), "said before anything is built"


PRUNE = {"--limit BAD": ("bad-cache-limit", 2), "--limit=": ("usage", 2)}


def refused(folder: Path, *words: str, name: str) -> Refusal:
    """The usage error of `wherry build WORDS` in a small application."""
    need("go")
    root = write(folder / "app", APP)
    return only(wherry("build", *words, home=folder / "home", cwd=root), name, 2)
