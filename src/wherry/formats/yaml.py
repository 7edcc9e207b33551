"""YAML as people read it: plain values in, text with comments out, strings quoted wherever another reader could take them for
something else. Touches nothing.

YAML 1.2 in the subset that readers of 1.1 (Go's, PyYAML) read alike (row I02): no anchors, no tags, no flow style but for empty
values.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from wherry.kit.text import one_line
from wherry.kit.value import Value

Scalar = str | int | float | bool | None
Document = Any
"""Mapping, sequence, Noted or Scalar, nested."""
WIDTH: Final = 4096
"""Never folded: a folded string is hard to compare and to grep."""


class Noted(Value, frozen=True, kw_only=True):
    """A value with the reason for it above, as comment lines."""

    value: Document
    note: str
    beside: bool = False
    """At the end of the line instead, where tools look for the version of what is pinned; for a scalar in a mapping."""


def noted(value: Document, note: str) -> Noted:
    """`value` with a comment; both as the reader should see them."""
    return Noted(value=value, note=note)


def beside(value: Scalar, note: str) -> Noted:
    """`value` with a word after it, in the same line."""
    return Noted(value=value, note=note, beside=True)


def dump(document: Document) -> str:
    """One document, without `---`. Multi-line strings as literal blocks."""
    writer = YAML()
    writer.width = WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    writer.dump(_value(document, 0), stream)
    return stream.getvalue()


def dump_all(documents: Sequence[Document]) -> str:
    """Several documents in one file."""
    return "---\n".join(dump(one) for one in documents)


def _value(document: Document, indent: int) -> Any:
    match document:
        case Noted():
            return _value(document.value, indent)
        case str():
            return _string(document)
        case Mapping():
            made = CommentedMap()
            for key, one in document.items():
                made[_string(key)] = _value(one, indent + 2)
                if isinstance(one, Noted) and one.beside:
                    made.yaml_add_eol_comment(f"# {' '.join(_comment(one.note).split())}", key=_string(key), column=0)
                elif isinstance(one, Noted):
                    made.yaml_set_comment_before_after_key(_string(key), before=_comment(one.note), indent=indent)
            return made
        case bytes():
            raise TypeError("bytes have no place in YAML that people read")
        case Sequence():
            items = CommentedSeq(_value(one, indent + 2) for one in document)
            for number, one in enumerate(document):
                if isinstance(one, Noted):
                    items.yaml_set_comment_before_after_key(number, before=_comment(one.note), indent=indent)
            return items
        case _:
            return document


def _comment(text: str) -> str:
    """What cannot end a comment early, line breaks of YAML 1.1 among them, and no sign that readers refuse even there."""
    return "\n".join(one_line(" ".join(line.split())) for line in text.replace("\r", "\n").splitlines())


def _string(text: str) -> Any:
    if "\n" in text and text.endswith("\n") and text.isprintable() is False and _plain_block(text):
        return LiteralScalarString(text)
    return text if _is_plain(text) else DoubleQuotedScalarString(text)


_MARK: Final = re.compile(r"\s*(?:#|//)\s*wherry:")
"""How marks begin by which a file's readers keep lines: a value's own line is none."""


def _plain_block(text: str) -> bool:
    lines = text.split("\n")
    return (
        not any(map(_MARK.match, lines))
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and not text.startswith((" ", "\n"))
    )


_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-$@")
_STRANGE: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "nan", "inf"))


def _is_plain(text: str) -> bool:
    """Whether every reader takes it for this string without quotes: a letter or `/` first, then letters, digits and . _ / - $
    @ alone, and no word that YAML 1.1 knows."""
    return (
        bool(text)
        and (text[0].isalpha() or text[0] == "/")
        and text.isascii()
        and set(text) <= _WORD
        and text.lower() not in _STRANGE
    )
