"""TOML as wherry writes it. Values in, text out; touches nothing."""

from __future__ import annotations

import json
import re
from typing import Final

Plain = str | int | float | bool
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_CONTROLS: Final = {"\x7f": "\\u007f"}


def value(given: Plain | tuple[Plain, ...] | dict[str, Plain]) -> str:
    """A value on one line: a string as a basic string, which has JSON's escapes, an array, or an inline table."""
    match given:
        case bool():
            return "true" if given else "false"
        case str():
            return quoted(given)
        case dict():
            return "{ " + ", ".join(f"{key(name)} = {value(one)}" for name, one in given.items()) + " }"
        case tuple():
            return "[" + ", ".join(map(value, given)) + "]"
        case _:
            return str(given)


def key(text: str) -> str:
    """A key, bare where it may be."""
    return text if _BARE.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """A basic string; equal texts give equal bytes."""
    written = json.dumps(text, ensure_ascii=False)
    for control, escape in _CONTROLS.items():
        written = written.replace(control, escape)
    return written
