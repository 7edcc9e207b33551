"""A Dockerfile as instructions. Text in, instructions with their places out; touches nothing.

After BuildKit's `parser/parser.go`: directives, comments, continued lines, flags, the JSON form, here-documents. What an
instruction means is not looked at; `dockerwords` reads what stands in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from wherry.formats.dockerwords import Pairs, split
from wherry.kit.value import Value

_DIRECTIVE: Final = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t\r]*")
_DIRECTIVES: Final = ("syntax", "escape", "check")
_HEREDOC: Final = re.compile(r"(\d*)<<(-?)([^<]*)")
_HEREDOCS: Final = ("RUN", "COPY", "ADD")
_BLANK: Final = re.compile("[\t\v\f\r ]+")
_SPACE: Final = "\t\n\v\f\r \x85\xa0"


class Heredoc(Value, frozen=True, kw_only=True):
    """Lines that follow an instruction."""

    name: str
    text: str
    expanded: bool = True
    """Whether variables in it count: its name is not quoted."""


class Instruction(Value, frozen=True, kw_only=True):
    """One instruction."""

    keyword: str
    """In capitals."""
    line: int
    last_line: int
    flags: tuple[str, ...] = ()
    """`--from=build`, without quotes and escapes."""
    text: str = ""
    """What follows the flags, continued lines joined."""
    words: tuple[str, ...] | None = None
    """Those of the JSON form; None where it is not in that form."""
    heredocs: tuple[Heredoc, ...] = ()
    comments: tuple[str, ...] = ()
    """The comment lines just above it."""

    def flag(self, name: str) -> tuple[str, ...]:
        """The values of `--name=`."""
        start = f"--{name}="
        return tuple(one.removeprefix(start) for one in self.flags if one.startswith(start))


class Dockerfile(Value, frozen=True, kw_only=True):
    """A whole file."""

    directives: Pairs = ()
    instructions: tuple[Instruction, ...] = ()


class _Line(Value, frozen=True, kw_only=True):
    """A logical line."""

    text: str
    first: int
    last: int
    comments: tuple[str, ...]
    heredocs: tuple[Heredoc, ...]


def parse(text: str) -> Dockerfile:
    """ValueError, with the line, for a here-document or quote without an end."""
    rows = [row.removesuffix("\r") for row in text.removeprefix("\ufeff").split("\n")]
    directives = tuple(_directives(rows))
    escape = dict(directives).get("escape", "\\")
    lines = _lines(rows, escape)
    return Dockerfile(directives=directives, instructions=tuple(_instruction(line) for line in lines))


def _directives(rows: list[str]) -> Iterator[tuple[str, str]]:
    """Comments of a certain form, before anything else."""
    seen: set[str] = set()
    for row in rows:
        match = _DIRECTIVE.fullmatch(row.strip())
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES or name in seen:
            return
        seen.add(name)
        yield name, match[2]


def _lines(rows: list[str], escape: str) -> Iterator[_Line]:
    continued = re.compile(rf"(^|[^{re.escape(escape)}]){re.escape(escape)}[ \t]*$")
    number = 0
    comments: list[str] = []
    while number < len(rows):
        first, text = number, rows[number].lstrip(_SPACE)
        number += 1
        if text.startswith("#") or not text:
            comments = [*comments, text] if text else []
            continue
        while continued.search(text):
            text, number = continued.sub(r"\1", text), _continuation(rows, number)
            text += rows[number] if number < len(rows) else ""
            number += 1
        heredocs, number = _heredocs(text, rows, number)
        yield _Line(
            text=text, first=first + 1, last=min(number, len(rows)), comments=tuple(comments), heredocs=heredocs
        )
        comments = []


def _continuation(rows: list[str], number: int) -> int:
    """The next row that counts: comments and empty lines inside an instruction are passed over."""
    while number < len(rows) and (not rows[number].strip(_SPACE) or rows[number].lstrip(_SPACE).startswith("#")):
        number += 1
    return number


def _heredocs(text: str, rows: list[str], number: int) -> tuple[tuple[Heredoc, ...], int]:
    found: list[Heredoc] = []
    keyword, _, rest = text.partition(" ")
    if keyword.upper() not in _HEREDOCS:
        return (), number
    for word in split(rest):
        match = _HEREDOC.fullmatch(word)
        if match is None or not match[3].strip("'\""):
            continue
        name, begin, end = match[3].strip("'\""), number, number
        while end < len(rows) and _stripped(rows[end], match[2]) != name:
            end += 1
        if end == len(rows):
            raise ValueError(f"line {begin}: the here-document {name} has no end")
        held = "".join(f"{_stripped(row, match[2])}\n" for row in rows[begin:end])
        found.append(Heredoc(name=name, text=held, expanded=name == match[3]))
        number = end + 1
    return tuple(found), number


def _stripped(row: str, tabs: str) -> str:
    return row.lstrip("\t") if tabs else row


def _instruction(line: _Line) -> Instruction:
    keyword, *rest = _BLANK.split(line.text.strip(_SPACE), maxsplit=1)
    flags, text = _flags(rest[0].strip(_SPACE) if rest else "")
    return Instruction(
        keyword=keyword.upper(),
        line=line.first,
        last_line=line.last,
        flags=flags,
        text=text,
        words=_json(text),
        heredocs=line.heredocs,
        comments=line.comments,
    )


def _flags(text: str) -> tuple[tuple[str, ...], str]:
    """Leading words that begin with `--`, their quotes and escapes taken off, and the rest."""
    flags: list[str] = []
    while text.startswith("--"):
        word = split(text)[0]
        text = text[len(word) :].lstrip(_SPACE)
        if word == "--":
            break
        flags.append(_bare(word))
    return tuple(flags), text


_QUOTED: Final = re.compile(r"""'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|((?:\\.|[^'"\\])+)""", re.DOTALL)


def _bare(word: str) -> str:
    """In flags a backslash escapes inside single quotes, too."""
    return re.sub(r"\\(.)", r"\1", "".join(one or two or three for one, two, three in _QUOTED.findall(word)))


def _json(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        read = json.loads(text)
    except ValueError:
        return None
    return tuple(read) if isinstance(read, list) and all(isinstance(one, str) for one in read) else None
