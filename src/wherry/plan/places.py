"""Where each key of a TOML text stands, since tomllib does not say. A text that tomllib accepts in, offsets out; touches nothing.

A careful walk over the text by toml.io's grammar: strings, comments and nesting are passed over, only keys are read.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

from wherry.plan.tiers import Keys

_BLANK: Final = re.compile(r"[ \t]*")
_SPACE: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_PLAIN: Final = re.compile(r"[^,\]}#\n]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS: Final = (
    re.compile(r'"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'{3}(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)


class Scan:
    """One walk over one text. `found` maps the path of every key, table and list item to its offset."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.found: dict[Keys, int] = {}
        self._lists: dict[Keys, int] = {}

    def run(self) -> dict[Keys, int]:
        """The whole document."""
        table: Keys = ()
        while self._skip(_SPACE) < len(self.text):
            if self.text[self.position] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _header(self) -> Keys:
        start = self.position
        several = self.text.startswith("[[", start)
        self.position += 2 if several else 1
        *before, last = self._key()
        self.position = self.text.index("]", self.position) + (2 if several else 1)
        table: Keys = ()
        for part in before:
            table = self._inside((*table, part), start)
        table = (*table, last)
        self.found.setdefault(table, start)
        if several:
            self._lists[table] = self._lists.get(table, -1) + 1
            table = (*table, self._lists[table])
            self.found[table] = start
        return table

    def _inside(self, table: Keys, start: int) -> Keys:
        """The last item of a list of tables, which is what a header below it speaks of."""
        self.found.setdefault(table, start)
        return (*table, self._lists[table]) if table in self._lists else table

    def _pair(self, table: Keys) -> None:
        start = self.position
        path = table
        for part in self._key():
            path = (*path, part)
            self.found.setdefault(path, start)
        self.position = self.text.index("=", self.position) + 1
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_BLANK)
            parts.append(self._part())
            self._skip(_BLANK)
            if not self.text.startswith(".", self.position):
                return parts
            self.position += 1

    def _part(self) -> str:
        start = self.position
        if self.text[start] in "\"'":
            self._string()
            return str(tomllib.loads(f"key = {self.text[start : self.position]}")["key"])
        self._skip(_BARE)
        return self.text[start : self.position]

    def _value(self, path: Keys) -> None:
        self._skip(_BLANK)
        match self.text[self.position]:
            case '"' | "'":
                self._string()
            case "[":
                self._list(path)
            case "{":
                self._table(path)
            case _:
                self._skip(_PLAIN)

    def _list(self, path: Keys) -> None:
        self.position += 1
        number = 0
        while self.text[self._skip(_SPACE)] != "]":
            self.found[*path, number] = self.position
            self._value((*path, number))
            number += 1
            if self.text[self._skip(_SPACE)] == ",":
                self.position += 1
        self.position += 1

    def _table(self, path: Keys) -> None:
        self.position += 1
        while self.text[self._skip(_SPACE)] != "}":
            self._pair(path)
            if self.text[self._skip(_SPACE)] == ",":
                self.position += 1
        self.position += 1

    def _string(self) -> None:
        for form in _STRINGS:
            match = form.match(self.text, self.position)
            if match:
                self.position = match.end()
                return
        raise ValueError(f"no string at {self.position}")

    def _skip(self, form: re.Pattern[str]) -> int:
        match = form.match(self.text, self.position)
        assert match is not None
        self.position = match.end()
        return self.position


def scan(text: str) -> dict[Keys, int]:
    """The offset of every key, table and list item of `text`, which must be TOML with `\\n` as its only line ends."""
    return Scan(text).run()
