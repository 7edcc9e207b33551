"""systemd's files as systemd reads them. A unit in, its values and words out; the rules are those of systemd.syntax(7) and, for
commands, systemd.service(5)."""

from __future__ import annotations

import re

#: Behind a backslash, of what systemd.syntax(7) lists.
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "\\": "\\", '"': '"', "'": "'"}


def values(text: str, section: str, key: str) -> list[str]:
    """All values of a key, in their order."""
    part = re.search(rf"^\[{section}\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^{key}=(.*)$", part[1], re.MULTILINE) if part else []


def words(line: str, *, command: bool = True) -> list[str]:
    """The words of a line, its specifiers and, of a command, its variables resolved: there are none but %% and $$."""
    found: list[str] = []
    word: str | None = None
    quote, characters = "", iter(line)
    for character in characters:
        if character == "\\":
            word = (word or "") + ESCAPES[next(characters)]
        elif quote and character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote, word = character, word or ""
        elif not quote and character in " \t":
            found += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + character
    assert not quote, line
    found += [] if word is None else [word]
    return [_resolved(one, "%$" if command else "%") for one in found]


def _resolved(word: str, marks: str) -> str:
    for mark in marks:
        assert mark not in word.replace(mark * 2, ""), f"{mark} means something in {word!r}"
        word = word.replace(mark * 2, mark)
    return word
