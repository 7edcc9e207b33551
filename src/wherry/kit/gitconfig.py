"""Git's configuration format, read as git reads it (config.c, git 2.39). Text in, entries out; touches nothing.

Faithful to the letter, because what git understands and we do not would be a way to start programs: quotes inside of
words, escapes, lines that go on behind a backslash, several sections on a line. Where git gives up on a file, so does
this: git then starts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "\\": "\\", '"': '"'}
BLANKS = " \t\n\r"


class Unreadable(ValueError):
    """Git refuses this file."""


def entries(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Section (lower case), subsection, key (lower case) and value of each setting; a key without `=` has the value
    "true".

    A file that git refuses ends the entries where it does.
    """
    reader = _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    section, subsection = "", ""
    try:
        while character := reader.next():
            if character in BLANKS:
                continue
            if character in "#;":
                reader.skip_line()
            elif character == "[":
                section, subsection = reader.heading()
            elif character.isascii() and character.isalpha():
                key, value = reader.setting(character)
                yield section, subsection, key, value
            else:
                return
    except Unreadable:
        return


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Every heading, those without settings too."""
    reader = _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    try:
        while character := reader.next():
            if character in "#;":
                reader.skip_line()
            elif character == "[":
                yield reader.heading()
            elif character not in BLANKS:
                reader.setting(character)
    except Unreadable:
        return


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def next(self) -> str:
        """The next character; empty at the end."""
        character = self._text[self._at : self._at + 1]
        self._at += 1
        return character

    def skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def heading(self) -> tuple[str, str]:
        """Behind `[`: `section]`, `section.sub]` or `section "sub"]`."""
        name = ""
        while (character := self.next()) and character != "]":
            if character in BLANKS:
                return name.lower(), self._subsection(character)
            if not _is_key(character) and character != ".":
                raise Unreadable
            name += character
        if not character:
            raise Unreadable
        section, _, subsection = name.lower().partition(".")
        return section, subsection

    def _subsection(self, character: str) -> str:
        while character and character in BLANKS:
            if character == "\n":
                raise Unreadable
            character = self.next()
        if character != '"':
            raise Unreadable
        name = ""
        while (character := self.next()) != '"':
            character = self.next() if character == "\\" else character
            if character in ("", "\n"):
                raise Unreadable
            name += character
        if self.next() != "]":
            raise Unreadable
        return name

    def setting(self, first: str) -> tuple[str, str]:
        """A key that begins with `first`, and its value."""
        key, character = first, self.next()
        while character and _is_key(character):
            key, character = key + character, self.next()
        while character and character in " \t":
            character = self.next()
        if character in ("", "\n"):
            return key.lower(), "true"
        if character != "=":
            raise Unreadable
        return key.lower(), self._value()

    def _value(self) -> str:
        value, blanks, quoted = "", 0, False
        while (character := self.next()) and character != "\n":
            if character in BLANKS and not quoted:
                blanks += 1 if value else 0
                continue
            if character in "#;" and not quoted:
                self.skip_line()
                continue
            value, blanks = value + " " * blanks, 0
            if character == '"':
                quoted = not quoted
            elif character == "\\":
                value += self._escaped()
            else:
                value += character
        if quoted:
            raise Unreadable
        return value

    def _escaped(self) -> str:
        character = self.next()
        if character == "\n":
            return ""
        if character not in ESCAPES:
            raise Unreadable
        return ESCAPES[character]


def _is_key(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "-")
