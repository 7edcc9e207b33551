"""The first line of a generated file: the command that makes it. Text in, choices out, and back; touches nothing.

A file that says how it was made needs no list of files elsewhere: `wherry generate --check` reads these lines. What they say is a
name of the table, its variants and folders below the root, and is never run.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from wherry.errors import UsageError
from wherry.generate.table import WRITERS, Writer
from wherry.generate.text import in_a_comment
from wherry.kit.value import Value
from wherry.model.file import Choice, File

COMMAND: Final = "wherry generate"
YOURS: Final = "Lines between `wherry:keep` and `wherry:end` stay as you write them; all others are made anew."
WITHIN: Final = 4
"""Lines from the top where it may be."""
_LINE: Final = re.compile(rf"(?:#|//) {COMMAND} ([^\n]+)")
_FIRST: Final = re.compile(r"#!|# *(?:syntax|check|escape) *=")
"""What must stay the first line: a script's interpreter, Docker's directives."""


class Command(Value, frozen=True, kw_only=True):
    """A choice, and where it holds."""

    choice: Choice
    home: str = "."
    """The folder that `-C` names, relative to the root."""


def words(command: Command) -> str:
    """`wherry generate dockerfile --variant alpine -C services/jobs`."""
    choice, row = command.choice, writer(command.choice.what)
    said = [choice.what]
    if choice.variant and row.option and choice.variant != row.variants[0]:
        said += [f"--{row.option}", choice.variant]
    said += [f"--{name}" for name in choice.extras]
    said += ["--digest", choice.digest] if choice.digest else []
    said += ["--release", choice.release] if choice.release else []
    said += ["-C", command.home] if command.home != "." else []
    return f"{COMMAND} {shlex.join((*said, *choice.packages))}"


def headed(file: File, command: Command) -> str:
    """The whole file: the command and who owns what, then its text; after a line that must be the first. UsageError [bad-text]
    for a folder whose name no comment can hold."""
    if not file.comment or file.once:
        return file.text
    for folder in (command.home, *command.choice.packages):
        in_a_comment(folder, what="the name of a folder", file=f"the first line of {file.path}")
    head = f"{file.comment} {words(command)}\n{file.comment} {YOURS}"
    lines = file.text.split("\n")
    count = next((number for number, line in enumerate(lines) if not _FIRST.match(line)), len(lines))
    return "\n".join((*lines[:count], head, *lines[count:]))


def found(text: str, name: str) -> Command | None:
    """The command in the first lines of a file; None where there is none. UsageError [bad-header] for one that nobody could have
    written."""
    for line in text.split("\n", WITHIN)[:WITHIN]:
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match:
            return _parsed(match[1], f"{name}   {line[:80]}")
    return None


def chosen(what: str, variant: str = "", packages: tuple[str, ...] = ()) -> Choice:
    """A choice by its words, the usual variant where none is said. UsageError [bad-header] for words that mean nothing."""
    row = writer(what)
    return Choice(what=row.what, variant=_variant(row, variant), packages=packages)


def _variant(row: Writer, said: str) -> str:
    variant = said or next(iter(row.variants), "")
    if variant and variant not in row.variants:
        known = ", ".join(row.variants) or "it has none"
        raise UsageError("bad-header", f"{row.what} has no {variant[:40]!r}", next=f"one of {known}")
    return variant


def writer(what: str) -> Writer:
    """The row of `what`. UsageError [bad-header] when there is none."""
    row = next((one for one in WRITERS if one.what == what), None)
    if row is None:
        known = ", ".join(one.what for one in WRITERS)
        raise UsageError(
            "bad-header", f"nothing is called {what[:40]!r} that could be generated", next=f"one of {known}"
        )
    return row


def _parsed(text: str, place: str) -> Command:
    try:
        said = shlex.split(text)
        row = writer(said.pop(0))
        return _read(row, said)
    except UsageError as error:
        raise error.at(place) from None
    except (ValueError, IndexError) as error:
        raise UsageError(
            "bad-header", "this line is no command of wherry", where=place, next="remove the line"
        ) from error


def _read(row: Writer, said: list[str]) -> Command:
    values, extras, packages = {"variant": "", "digest": "", "release": "", "C": "."}, set[str](), list[str]()
    options = {f"--{row.option}": "variant", "--digest": "digest", "--release": "release", "-C": "C"}
    switches = {f"--{name}" for name, _ in row.extras}
    while said:
        word = said.pop(0)
        if word in options:
            values[options[word]] = said.pop(0)
        elif word in switches:
            extras.add(word.removeprefix("--"))
        elif word.startswith("-"):
            raise UsageError("bad-header", f"{row.what} has no {word[:40]}", next=f"wherry generate {row.what} --help")
        else:
            packages.append(word)
    choice = Choice(
        what=row.what,
        variant=_variant(row, values["variant"]),
        extras=tuple(sorted(extras)),
        digest=values["digest"],
        release=values["release"],
        packages=tuple(packages),
    )
    return Command(choice=choice, home=values["C"])
