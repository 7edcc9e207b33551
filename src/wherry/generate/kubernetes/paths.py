"""Places in an object: reading and replacing what is there, with the notes around it kept. Documents in, documents out; touches
nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry.formats.yaml import Document, Noted

Path = tuple[str | int, ...]
"""Keys, and numbers of items."""


def bare(document: Document) -> Any:
    """The document without its notes."""
    match document:
        case Noted():
            return bare(document.value)
        case Mapping():
            return {key: bare(one) for key, one in document.items()}
        case list():
            return [bare(one) for one in document]
        case _:
            return document


def has(document: Document, path: Path) -> bool:
    """Whether there is something at `path`."""
    at = document.value if isinstance(document, Noted) else document
    if not path:
        return True
    key, *rest = path
    there = key in at if isinstance(at, Mapping) else isinstance(at, list) and isinstance(key, int) and key < len(at)
    return there and has(at[key], tuple(rest))


def put(document: Document, path: Path, value: Document) -> Document:
    """A copy with `value` at `path`, which must be there. The old value's note stays unless `value` brings its own."""
    if isinstance(document, Noted):
        if not path and isinstance(value, Noted):
            return value
        return Noted(value=put(document.value, path, value), note=document.note)
    if not path:
        return value
    key, *rest = path
    if isinstance(document, Mapping):
        return {**document, key: put(document[key], tuple(rest), value)}
    items = list(document)
    items[int(key)] = put(items[int(key)], tuple(rest), value)
    return items
