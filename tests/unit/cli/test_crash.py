"""What a bug of wherry's own leaves: a file that says where, and the rest of the command line."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from wherry.cli import crash, main, verbs
from wherry.cli.commands import VERBS, load


def written(error: Exception) -> str:
    try:
        raise error
    except type(error) as caught:
        path = Path(crash.report(caught, ["plan", "hunter2"]).where[0])
    try:
        return path.read_text()
    finally:
        path.unlink()


def test_the_file_names_modules_in_full() -> None:
    assert f"{__name__}:" in written(ValueError("x"))


@pytest.mark.parametrize("error", [ImportError("cannot import name 'X' from 'y'"), AttributeError("no attribute 'x'")])
def test_what_the_code_says_of_itself_is_told(error: Exception) -> None:
    assert f"{type(error).__name__}: {error}\n" in written(error)


@pytest.mark.parametrize("error", [ValueError("hunter2"), KeyError("hunter2"), OSError("hunter2")])
def test_no_value_is_told(error: Exception) -> None:
    text = written(error)
    assert f"{type(error).__name__}\n" in text
    assert "hunter2" not in text


def test_help_outlives_a_command_that_does_not_import(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(verb: str) -> click.Command:
        if verb == "diff":
            raise ImportError("no such name")
        return load(verb)

    monkeypatch.setattr(verbs, "load", broken)
    assert main.run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {verb} " in said for verb in VERBS)
    assert "Broken here: wherry diff says how." in said
    assert main.run(["diff", "--help"]) not in (0, 2)
    name = capsys.readouterr().err.split("  where  ")[1].split()[0]
    assert "ImportError: no such name\n" in Path(name).read_text()
    Path(name).unlink()
