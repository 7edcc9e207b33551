"""Words of a compose file: sizes, times, names, and text that neither YAML nor Compose may take for more. Values in, texts out;
touches nothing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from wherry.errors import UsageError
from wherry.formats.yaml import Document, Noted, noted
from wherry.kit.text import one_line
from wherry.kit.value import Value

_KEY: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*", re.ASCII)
_FOREIGN: Final = re.compile(r"[^a-z0-9_-]+", re.ASCII)
_COLUMNS: Final = 72
_UNITS: Final = (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))


class Filled(Value, frozen=True, kw_only=True):
    """A text in which Compose fills in variables of its own environment: `${VERSION:-dev}`."""

    text: str


def literal(document: Document) -> Document:
    """The document with every `$` of a value doubled, so that Compose fills nothing in, save where `Filled` says so. Keys are
    left: Compose fills in values alone."""
    match document:
        case Filled():
            return document.text
        case Noted():
            return noted(literal(document.value), document.note)
        case str():
            return document.replace("$", "$$")
        case Mapping():
            return {key: literal(one) for key, one in document.items()}
        case Sequence():
            return [literal(one) for one in document]
        case _:
            return document


def why(value: Document, reason: str) -> Noted:
    """`value` with its reason above, in lines that fit beside an editor."""
    wrapped = [
        textwrap.fill(line, _COLUMNS, break_long_words=False, break_on_hyphens=False) for line in reason.splitlines()
    ]
    return noted(value, "\n".join(wrapped))


def key(text: str, what: str) -> str:
    """`text` as the name of a service, volume or secret. UsageError [bad-text]."""
    if not _KEY.fullmatch(text):
        raise _bad(text, what, "its names are of letters, digits and . _ -")
    return text


def path(text: str, what: str) -> str:
    """`text` as a path inside a container: Docker takes a colon for its end. UsageError [bad-text]."""
    if ":" in text or not text.isprintable():
        raise _bad(text, what, "Docker ends a path at a colon, and no quotes help")
    return text


def project(text: str) -> str:
    """`text` as Compose wants the name of a project: small letters, digits, - and _, the first no sign."""
    return _FOREIGN.sub("-", text.lower()).strip("-_") or "app"


def size(number: int) -> str:
    """Bytes as Docker reads them, in powers of two: 256M."""
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if number % factor == 0), ("", 1))
    return f"{number // factor}{unit}"


def seconds(length: float) -> str:
    """`30s`, `500ms`."""
    return f"{length:.0f}s" if length == int(length) else f"{length * 1000:.0f}ms"


def _bad(text: str, what: str, because: str) -> UsageError:
    return UsageError(
        "bad-text",
        f"{what} cannot be written into a compose file",
        where=f"{what} = {one_line(text)[:60]}",
        why=because,
        next="give it another name",
    )
