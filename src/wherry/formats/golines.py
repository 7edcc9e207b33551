"""The line format that go.mod and go.work share. Bytes in, directives with their words out; touches nothing.

Grammar: go.dev/ref/mod#go-mod-file-lexical. Comments are `//` to the end of the line; a word may be quoted by " or `.
"""

from __future__ import annotations

from wherry.errors import BuildError
from wherry.kit.value import Value

CLOSING = {'"': '"', "`": "`"}


class Line(Value, frozen=True, kw_only=True):
    """One directive: its verb (also inside a block), the words after it, and where it stands."""

    verb: str
    words: tuple[str, ...]
    number: int


def read_lines(data: bytes, *, name: str, limit: int = 16 << 20) -> tuple[Line, ...]:
    """All directives of a file, unknown ones too (a newer Go may know them; this one refuses them itself).

    Raises BuildError [go-mod] with the line for an open block or quote, or bad UTF-8.
    """
    if len(data) > limit:
        raise bad(name, 1, f"is larger than {limit} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad(name, data[: error.start].count(b"\n") + 1, "is not UTF-8") from error
    found: list[Line] = []
    block, opened = "", 0
    for number, row in enumerate(text.split("\n"), 1):
        words = _words(row, name, number)
        if not words:
            continue
        if block and words == [")"]:
            block = ""
        elif block:
            found.append(Line(verb=block, words=tuple(words), number=number))
        elif words[1:] == ["("]:
            block, opened = words[0], number
        elif words[1:2] == ["("] and words[-1] == ")":
            found += [Line(verb=words[0], words=tuple(words[2:-1]), number=number)] if words[2:-1] else []
        else:
            found.append(Line(verb=words[0], words=tuple(words[1:]), number=number))
    if block:
        raise bad(name, opened, f"has a `{block} (` that is not closed")
    return tuple(found)


def _words(row: str, name: str, number: int) -> list[str]:
    """The words of one line without its comment; brackets and commas stand alone outside quotes."""
    words: list[str] = []
    position = 0
    while position < len(row):
        character = row[position]
        if character in " \t\r":
            position += 1
        elif row.startswith("//", position):
            break
        elif character in CLOSING:
            end = row.find(CLOSING[character], position + 1)
            if end < 0:
                raise bad(name, number, "has a quote that is not closed")
            words.append(row[position + 1 : end])
            position = end + 1
        elif character in "()":
            words.append(character)
            position += 1
        else:
            end = _end_of_word(row, position)
            words.append(row[position:end])
            position = end
    return words


def _end_of_word(row: str, position: int) -> int:
    end = position
    while end < len(row) and row[end] not in ' \t\r()"`' and not row.startswith("//", end):
        end += 1
    return max(end, position + 1)


def bad(name: str, line: int, problem: str) -> BuildError:
    """The error for a file that Go could not read either."""
    return BuildError(
        "go-mod", f"{name} {problem}", where=f"{name}:{line}", next="mend that line; `go mod edit -fmt` checks the file"
    )
