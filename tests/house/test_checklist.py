"""Each row of the guides' checklist, in the themes that generated files are about, is covered by something that is there, or
answered.

The rows are in docs/checklist/*.toml; docs/checklist.md is made of them by `WRITE_CHECKLIST=1 pytest
tests/house/test_checklist.py`.
"""

from __future__ import annotations

import ast
import os
import re
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest

from wherry.cli.commands import VERBS, load

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/checklist.md"
IDS = ROOT / "tests/data/guide-rows.toml"
"""The ids of each theme's rows."""
GUIDES = ROOT.parent / "shared/guides/checklist.md"
"""The rows themselves, where they lie beside this clone."""
THEMES = (
    "Dockerfile structure, stages and instructions",
    "Base images and version pinning",
    "Layer caching, build context, BuildKit",
    "HEALTHCHECK in images",
    "Go health package",
    "Versions, build arguments, tags, labels",
    "Build script build.sh",
    "Makefile and local development",
    "Compose: development",
    "Compose: secure",
    "Compose: production",
    "Compose: minimal snippet",
    "Kubernetes",
    "Tests (container tests, test stages)",
    "Observability, signals, debugging, runtime monitoring",
)
HEAD = """\
# The guides' checklist

What well-known guides about Go in containers describe, row by row: which file, flag or test covers it here; or why the guide
is wrong, and what is done instead. Ids are those of our list of rows. Made from `docs/checklist/` by
`WRITE_CHECKLIST=1 pytest tests/house/test_checklist.py`, which also looks whether each file, test and option that is named is
there.
"""
_ROW = re.compile(r"^\| (S\d-\d+[a-z]?) \|", re.MULTILINE)
_NAMED = re.compile(r"`([^`]+)`")


def rows() -> dict[str, dict[str, str]]:
    """Every row by its id."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((ROOT / "docs/checklist").glob("*.toml")):
        for row in tomllib.loads(path.read_text())["row"]:
            assert row["id"] not in found, f"{row['id']} is twice in docs/checklist"
            assert set(row) in ({"id", "covered"}, {"id", "wrong"}), row
            found[row["id"]] = row
    return found


@cache
def themes() -> dict[str, list[str]]:
    """The ids of each theme."""
    return tomllib.loads(IDS.read_text())


@pytest.mark.parametrize("theme", THEMES)
def test_each_row_is_answered(theme: str) -> None:
    assert [one for one in themes()[theme] if one not in rows()] == []


def test_no_row_is_of_our_own() -> None:
    assert set(rows()) - {one for ids in themes().values() for one in ids} == set()


@pytest.mark.skipif(not GUIDES.exists(), reason="the guides' list is not beside this clone; its ids are in tests/data")
def test_the_ids_are_those_of_the_list() -> None:
    parts = re.split(r"^## ", GUIDES.read_text(), flags=re.MULTILINE)
    found = {title: _ROW.findall(body) for part in parts for title, _, body in (part.partition("\n"),)}
    assert {title: ids for title, ids in found.items() if ids} == themes()


def test_what_is_named_is_there() -> None:
    """Tests, files, commands with their options, and settings."""
    wrong = [
        (row["id"], word)
        for row in rows().values()
        for word in _NAMED.findall(row.get("covered", ""))
        if not is_there(word)
    ]
    assert wrong == []


def test_each_row_names_something() -> None:
    """A file, a test or a command: an answer without evidence is none."""
    bare = [row["id"] for row in rows().values() if "covered" in row and not _NAMED.search(row["covered"])]
    assert bare == []


def is_there(word: str) -> bool:
    """Whether a path, a `path::test` or a `wherry` command is of this repository; other words are only words."""
    path, _, test = word.partition("::")
    if re.fullmatch(r"(?:tests|src|docs|scripts|examples)/[\w./-]+", path):
        return (ROOT / path).exists() and (not test or test.partition("[")[0] in named_in(path))
    if word.startswith("wherry "):
        return is_command(word.split()[1:])
    return True


@cache
def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def is_command(words: list[str]) -> bool:
    if words[0] not in VERBS:
        return False
    command = load(words.pop(0))
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    options = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
    return all(word in options for word in words if word.startswith("-"))


def page() -> str:
    """docs/checklist.md."""
    lines = [HEAD]
    for path in sorted((ROOT / "docs/checklist").glob("*.toml")):
        lines += [f"## {path.stem.replace('-', ' ').capitalize()}", "", "| row | answer |", "|---|---|"]
        for row in tomllib.loads(path.read_text())["row"]:
            text = row.get("covered") or f"**Otherwise:** {row['wrong']}"
            lines.append(f"| {row['id']} | {' '.join(text.split()).replace('|', '&#124;')} |")
        lines.append("")
    return "\n".join(lines)


def test_the_page_is_made_of_the_rows() -> None:
    if os.environ.get("WRITE_CHECKLIST"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()
