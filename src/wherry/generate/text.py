"""Texts of a repository on their way into a file. A text or names in, the same or an error out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterable

from wherry.errors import UsageError
from wherry.kit.text import one_line


def in_one_line(text: str, *, what: str, file: str) -> str:
    """`text` for formats whose lines end at a line break, quoted or not. UsageError [bad-text] with `what` it is (`image.name`)
    when it has a control character."""
    bad = next((sign for sign in text if sign < " " or sign == "\x7f"), "")
    if bad:
        raise UsageError(
            "bad-text",
            f"{what} cannot be written into {file}: it has a control character, U+{ord(bad):04X}",
            where=f"{what} = {one_line(text)[:60]}",
            why="a line of that file ends at a line break, whatever the quotes",
            next="give it a name in one line",
        )
    return text


def apart(names: Iterable[str], *, file: str) -> None:
    """UsageError [same-name] when two applications of one file would be called alike in it."""
    known: set[str] = set()
    for name in names:
        if name in known:
            raise UsageError(
                "same-name",
                f"two applications of one {file} would be called {one_line(name)[:60]}",
                where="image.name",
                next="name one of them in wherry.toml",
            )
        known.add(name)
