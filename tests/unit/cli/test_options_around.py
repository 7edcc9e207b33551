"""Options before and after the name of a container, and words that are the container's own."""

from __future__ import annotations

import click
import pytest

from wherry.cli.commands.debug import debug

ROWS = (
    (["api"], ("api", (), "", False)),
    (["api", "--image", "oci:x"], ("api", (), "oci:x", False)),
    (["--image", "oci:x", "api"], ("api", (), "oci:x", False)),
    (["-t", "api", "--image=oci:x", "ls", "-l"], ("api", ("ls", "-l"), "oci:x", True)),
    (["api", "ls", "--image", "x"], ("api", ("ls", "--image", "x"), "", False)),
    (["api", "--", "-t"], ("api", ("-t",), "", False)),
    (["--", "api", "-t"], ("api", ("-t",), "", False)),
)


@pytest.mark.parametrize(("words", "wanted"), ROWS)
def test_options_stand_around_the_name(words: list[str], wanted: tuple[object, ...]) -> None:
    found = debug.make_context("debug", list(words)).params
    assert (found["name"], found["words"], found["image"], found["tty"]) == wanted


@pytest.mark.parametrize("words", [["api", "--image"], ["api", "--nothing"], ["--image", "x"]])
def test_what_is_wrong_is_still_told(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        debug.make_context("debug", list(words))
