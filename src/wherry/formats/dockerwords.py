"""Words of a Dockerfile's instruction, and what is expanded in them. A text in, words or a text out; touches nothing.

After BuildKit's `parser/line_parsers.go` and `shell/lex.go`: quotes and escapes stay in a word until it is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Pairs = tuple[tuple[str, str], ...]
Lookup = Callable[[str], str | None]
"""A variable's value, or None where it is not set."""

#: Go's unicode.IsSpace.
SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORD: Final = re.compile(rf"""(?:\\.|'[^']*(?:'|$)|"(?:\\.|[^"\\])*(?:"|\\?$)|[^{SPACE}'"\\])+""", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#!?$-]", re.ASCII)
_OPERATOR: Final = re.compile(r":?[-+?]")


def split(text: str) -> tuple[str, ...]:
    """Words between blanks, with their quotes and escapes."""
    return tuple(match[0] for match in _WORD.finditer(text))


def pairs(text: str) -> Pairs:
    """NAME=VALUE words of ENV, LABEL and ARG, not yet expanded; the old form `ENV NAME the rest` too. ValueError for a word
    without `=` among such with one."""
    words = split(text)
    if words and "=" not in words[0]:
        return ((words[0], text.strip().removeprefix(words[0]).strip()),)
    for word in words:
        if "=" not in word:
            raise ValueError(f"{word!r} is no NAME=VALUE")
    return tuple((name, rest) for name, _, rest in (word.partition("=") for word in words))


def expand(word: str, lookup: Lookup = lambda _: None) -> str:
    """`word` without quotes and escapes, variables replaced. ValueError for an open quote or brace, or an expansion that is not
    known here."""
    text, rest = _until(word, lookup, "")
    if rest:
        raise ValueError(f"{rest!r} is left of {word!r}")
    return text


def _until(word: str, lookup: Lookup, end: str) -> tuple[str, str]:
    """The text up to `end` outside of quotes, and what follows that."""
    made: list[str] = []
    while word:
        sign = word[0]
        if end and sign == end:
            return "".join(made), word[1:]
        if sign == "'":
            inside, closing, word = word[1:].partition("'")
            if not closing:
                raise ValueError("an open '")
            made.append(inside)
        elif sign == '"':
            inside, word = _double(word[1:], lookup)
            made.append(inside)
        elif sign == "\\":
            made.append(word[1:2])
            word = word[2:]
        elif sign == "$":
            inside, word = _variable(word[1:], lookup)
            made.append(inside)
        else:
            made.append(sign)
            word = word[1:]
    if end:
        raise ValueError(f"no {end} at the end")
    return "".join(made), ""


def _double(word: str, lookup: Lookup) -> tuple[str, str]:
    made: list[str] = []
    while word:
        sign = word[0]
        if sign == '"':
            return "".join(made), word[1:]
        if sign == "$":
            inside, word = _variable(word[1:], lookup)
            made.append(inside)
        elif sign == "\\" and word[1:2] in ('"', "$", "\\") and len(word) > 1:
            made.append(word[1])
            word = word[2:]
        else:
            made.append(sign)
            word = word[1:]
    raise ValueError('an open "')


def _variable(word: str, lookup: Lookup) -> tuple[str, str]:
    """What follows a `$`."""
    if not word.startswith("{"):
        match = _NAME.match(word)
        return (lookup(match[0]) or "", word[match.end() :]) if match else ("$", word)
    match = _NAME.match(word, 1)
    if match is None:
        raise ValueError(f"${word[:20]} is no variable")
    name, word = match[0], word[match.end() :]
    if word.startswith("}"):
        return lookup(name) or "", word[1:]
    operator = _OPERATOR.match(word)
    if operator is None:
        raise ValueError(f"${{{name}{word[:10]} is not known here")
    other, rest = _until(word[operator.end() :], lookup, "}")
    return _chosen(operator[0], lookup(name), other, name), rest


def _chosen(operator: str, known: str | None, other: str, name: str) -> str:
    there = bool(known) if operator.startswith(":") else known is not None
    if operator[-1] == "+":
        return other if there else ""
    if operator[-1] == "?" and not there:
        raise ValueError(f"{name}: {other or 'is not set'}")
    return (known or "") if there else other
