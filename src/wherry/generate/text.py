"""Texts of a repository on their way into a file. A text or names in, the same or an error out; touches nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from wherry.errors import UsageError
from wherry.kit.text import one_line

_BREAKS: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Controls (U+0085 among them), bytes that are no UTF-8, line and paragraph separators: YAML 1.1 ends a line at some of them, and
its readers refuse a file for others, even in a comment."""
_REFUSED: Final = frozenset("\ufeff\ufffe\uffff")
"""A byte order mark inside a file, which Go refuses, and what is no character."""


def in_one_line(text: str, *, what: str, file: str) -> str:
    """`text` for formats whose lines end at a line break, quoted or not. UsageError [bad-text] with `what` it is (`image.name`)
    when it has a control character."""
    bad = next((sign for sign in text if sign < " " or sign == "\x7f"), "")
    if bad:
        raise _bad(text, bad, what, file)
    return text


def in_a_comment(text: str, *, what: str, file: str) -> str:
    """`text` for a comment, whatever the format: nothing in it ends a line, and no reader refuses the file for it. UsageError
    [bad-text]."""
    bad = next((sign for sign in text if unicodedata.category(sign) in _BREAKS or sign in _REFUSED), "")
    if bad:
        raise _bad(text, bad, what, file)
    return text


def _bad(text: str, bad: str, what: str, file: str) -> UsageError:
    return UsageError(
        "bad-text",
        f"{what} cannot be written into {file}: it has the sign U+{ord(bad):04X}",
        where=f"{what} = {one_line(text)[:60]}",
        why="a line of that file ends at a line break, whatever the quotes"
        if bad in "\n\r"
        else "that file has no way to hold it",
        next=f"take it out of {what}",
    )


def apart(names: Iterable[str], *, file: str, what: str = "applications") -> None:
    """UsageError [same-name] when two of `what` would be called alike in one file: names that differ may become one in the
    letters that a format takes. Refused and not numbered: a number would move from one program to the other with their order."""
    known: set[str] = set()
    for name in names:
        if name in known:
            raise UsageError(
                "same-name",
                f"two {what} of one {file} would be called {one_line(name)[:60]}",
                where="image.name",
                next="name one of them in wherry.toml",
            )
        known.add(name)
