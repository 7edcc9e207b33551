"""The form of every value that travels between rooms. Touches nothing."""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Frozen, keyword-only (each subclass says both again: msgspec does not inherit `kw_only`), compared by content.

    Fields hold values and tuples of values, never lists; dicts only in wire forms (`oci`, `formats`)."""


_known: set[object] = set()
_lock = threading.Lock()


def decodable(kind: type[T]) -> type[T]:
    """`kind`, which msgspec has looked through. To be said wherever bytes become values: msgspec 0.22 shows other threads a type
    that it has only begun with, so two that decode one for the first time at once can end the whole process (SIGSEGV)."""
    if kind not in _known:
        with _lock:
            msgspec.json.Decoder(kind)
            _known.add(kind)
    return kind
