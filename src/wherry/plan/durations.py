"""Durations as Go writes them: `30s`, `1m30s`, `500ms`. Text in, seconds out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)", re.ASCII)


def seconds(text: str) -> float:
    """Seconds; ValueError when `text` is no duration."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def short(duration: float) -> str:
    """`30 s`, `0.5 s`: for people."""
    return f"{duration:g} s"
