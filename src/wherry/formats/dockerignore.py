"""Patterns of a .dockerignore file. Patterns and paths in, what Docker would leave out of a build's context out; touches nothing.

After moby/patternmatcher: not git's rules. A pattern counts from the context's root, `**/` is any number of folders, a folder's
pattern hides all beneath it, and of all patterns that match the last one counts.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Iterable
from typing import Final

from wherry.kit.value import Value

#: Signs of Go's regular expressions that Docker takes as they are; others, `^` and brackets among them, stay what they are there.
_TAKEN: Final = frozenset(".+()|{}$\\")
_SPECIAL: Final = re.compile(r"([*?\[\]\\^])")
_WILD: Final = frozenset("*?[]\\")
_GO: Final = re.compile(r"(?P<many>\*+)|(?P<one>\?|\[(?:\\.|[^\]\\])+\])|\\?(?P<sign>.)", re.DOTALL)
_WHOLE: Final = {"many": "*", "one": "?"}


class Pattern(Value, frozen=True, kw_only=True):
    """One line."""

    text: str
    """Cleaned, without `!`."""
    shown: bool = False
    """It began with `!`: what it matches is in the context after all."""


def read(text: str) -> tuple[Pattern, ...]:
    """The patterns of a file, in order."""
    found = []
    for row in text.removeprefix("\ufeff").split("\n"):
        line = row.strip()
        if row.startswith("#") or not line:
            continue
        shown = line.startswith("!")
        line = line.removeprefix("!").strip()
        if line:
            cleaned = posixpath.normpath(line)
            found.append(Pattern(text=cleaned.lstrip("/") or cleaned, shown=shown))
    return tuple(found)


def literal(path: str) -> str:
    """The pattern of just this path. ValueError for a path that no line can hold."""
    if path != path.strip() or any(sign < " " or "\ud800" <= sign <= "\udfff" for sign in path):
        raise ValueError(f"no line of .dockerignore can hold {path!r}")
    return _SPECIAL.sub(r"\\\1", path)


def from_go(pattern: str) -> str:
    """What Docker reads as Go's path.Match reads `pattern`. Where it cannot say the same, for sets and for signs that no line can
    hold, any sign matches."""
    made = "".join(_WHOLE.get(one.lastgroup or "") or _sign(one["sign"]) for one in _GO.finditer(pattern))
    return re.sub(r"^\s|\s$", "?", made)


def expression(patterns: Iterable[str]) -> re.Pattern[str]:
    """One that fully matches each path which one of the patterns, none of them with `!`, matches or has a folder above it that
    it matches. ValueError for a pattern that is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # a set in a set is meant as its signs, as Go takes it
            return re.compile("(?:" + "|".join(map(_translated, patterns)) + ")(?:/.*)?", re.DOTALL)
    except re.error as error:
        raise ValueError(f"a pattern cannot be read: {error}") from error


def hidden(paths: Iterable[str], patterns: tuple[Pattern, ...]) -> tuple[str, ...]:
    """Those of `paths`, relative to the context's root, that are not in the context."""
    compiled = tuple((expression((one.text,)), one.shown) for one in patterns)
    return tuple(path for path in paths if _is_hidden(path, compiled))


def _sign(sign: str) -> str:
    return "?" if sign < " " or "\ud800" <= sign <= "\udfff" else _SPECIAL.sub(r"\\\1", sign)


def _is_hidden(path: str, compiled: tuple[tuple[re.Pattern[str], bool], ...]) -> bool:
    matched = False
    for pattern, shown in compiled:
        if shown is matched and pattern.fullmatch(path):
            matched = not shown
    return matched


def _translated(pattern: str) -> str:
    if not _WILD.intersection(pattern):
        return re.escape(pattern)
    made, position = "", 0
    while position < len(pattern):
        sign = pattern[position]
        position += 1
        if sign == "*" and pattern[position : position + 1] == "*":
            position += 1 + (pattern[position + 1 : position + 2] == "/")
            made += "(?:.*/)?" if position < len(pattern) else ".*"
        elif sign == "*":
            made += "[^/]*"
        elif sign == "?":
            made += "[^/]"
        elif sign == "\\" and position < len(pattern):
            if pattern[position].isalnum():
                raise ValueError(f"a pattern cannot be read: {pattern!r} has a backslash before a letter or digit")
            made += re.escape(pattern[position])
            position += 1
        elif sign in _TAKEN:
            made += re.escape(sign)
        else:
            made += sign
    return made
