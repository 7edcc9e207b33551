"""The form of every value that travels between rooms. Touches nothing."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Frozen, keyword-only (each subclass says both again: msgspec does not inherit `kw_only`), compared by content.

    Fields hold values and tuples of values, never lists; dicts only in wire forms (`oci`, `formats`)."""
