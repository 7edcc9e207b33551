"""The command in a file's first lines."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.support.applications import HOSTILE
from wherry.errors import UsageError
from wherry.generate.header import Command, found, headed, words
from wherry.generate.table import WRITERS
from wherry.model.file import Choice, File

BREAKS = (*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029", "\ufeff", "\ufffe", "\udcff")
"""What ends a line for some reader of some format, or what one of them refuses anywhere in a file."""
FOLDERS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"), min_size=1
)
ROWS = [(row, variant) for row in WRITERS for variant in (row.variants or ("",))]


@pytest.mark.parametrize(("row", "variant"), ROWS, ids=lambda one: getattr(one, "what", one))
def test_every_choice_comes_back(row: object, variant: str) -> None:
    assert row in WRITERS
    row = next(one for one in WRITERS if one == row)
    extras = tuple(sorted(name for name, _ in row.extras))
    choice = Choice(what=row.what, variant=variant, extras=extras, packages=("./cmd/a b", "./cmd/$(x)"))
    command = Command(choice=choice, home="services/it's")
    assert found(headed(File(path="x", text="text\n"), command), "x") == command


@pytest.mark.parametrize("sign", BREAKS, ids=lambda one: f"U+{ord(one):04X}")
def test_no_folder_ends_the_line(sign: str) -> None:
    for command in (
        Command(choice=Choice(what="makefile"), home=f"a{sign}touch pwned #"),
        Command(choice=Choice(what="makefile", packages=("./x", f"./a{sign}evil: yes"))),
    ):
        with pytest.raises(UsageError) as caught:
            headed(File(path="deploy/x.yaml", text="x\n"), command)
        assert caught.value.name == "bad-text"
        assert f"U+{ord(sign):04X}" in caught.value.message
        assert sign not in caught.value.where[0]


@given(FOLDERS, st.lists(FOLDERS, max_size=3))
def test_any_other_folder_comes_back_and_stays_a_comment(home: str, packages: list[str]) -> None:
    packages = [f"./{one}" for one in packages]
    command = Command(choice=Choice(what="makefile", packages=tuple(packages)), home=f"x{home}")
    text = headed(File(path="x.yaml", text="a: 1\n"), command)
    assert found(text, "x.yaml") == command
    assert len(text.split("\n")) == 4
    assert yaml.safe_load(text) == {"a": 1}
    assert YAML(typ="safe").load(text) == {"a": 1}


def test_a_hostile_folder_is_one_error() -> None:
    with pytest.raises(UsageError) as caught:
        headed(File(path="x", text="x\n"), Command(choice=Choice(what="makefile"), home=HOSTILE))
    assert caught.value.name == "bad-text"
    tame = HOSTILE.translate(dict.fromkeys(map(ord, "\r\n\u2028")))
    command = Command(choice=Choice(what="makefile", packages=(tame,)), home=tame)
    assert found(headed(File(path="x", text="x\n"), command), "x") == command


def test_the_usual_variant_is_not_said() -> None:
    row = next(one for one in WRITERS if one.variants)
    assert words(Command(choice=Choice(what=row.what, variant=row.variants[0]))) == f"wherry generate {row.what}"


@pytest.mark.parametrize("first", ["#!/bin/sh\n", "# syntax=docker/dockerfile:1\n", "# check=error=true\n", ""])
def test_what_must_be_first_stays_first(first: str) -> None:
    made = headed(File(path="x", text=f"{first}body\n"), Command(choice=Choice(what="compose", variant="secure")))
    assert made.startswith(f"{first}# wherry generate compose\n")
    assert made.endswith("\nbody\n")


def test_go_has_its_own_comments() -> None:
    made = headed(
        File(path="x.go", text="package x\n", comment="//"), Command(choice=Choice(what="compose", variant="secure"))
    )
    assert made.startswith("// wherry generate compose\n")
    assert found(made, "x.go")


@pytest.mark.parametrize(
    "file", [File(path="x.json", text="{}\n", comment=""), File(path="wherry.toml", text="a\n", once=True)]
)
def test_a_file_without_comments_or_of_its_reader_has_none(file: File) -> None:
    assert headed(file, Command(choice=Choice(what="compose", variant="secure"))) == file.text


@pytest.mark.parametrize(
    "line",
    [
        "# wherry generate rockets",
        "# wherry generate compose --for mars",
        "# wherry generate compose --exec /bin/sh",
        "# wherry generate compose --for",
        "# wherry generate compose 'x",
    ],
)
def test_a_line_that_nobody_wrote(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        found(f"{line}\n", "compose.yaml")
    assert caught.value.name == "bad-header"
    assert caught.value.where[0].startswith("compose.yaml")


@pytest.mark.parametrize(
    "text", ["", "x\n", "\n\n\n\n# wherry generate compose\n", "see wherry generate compose\n", HOSTILE]
)
def test_other_files_have_none(text: str) -> None:
    assert found(text, "x") is None


@given(st.text())
def test_any_text_is_a_command_none_or_one_error(text: str) -> None:
    with contextlib.suppress(UsageError):  # any other exception is the failure
        found(f"# wherry generate {text}", "x")
