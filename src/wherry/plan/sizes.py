"""Sizes as people write them: `30MB`, `1.5 GB`, `1000000`. Text in, bytes out, in powers of ten; touches nothing."""

from __future__ import annotations

import re
from typing import Final

_FORM: Final = re.compile(r"(\d{1,12}(?:\.\d{1,3})?) ?(k|m|g)?b?", re.ASCII | re.IGNORECASE)
_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def size(text: str) -> int:
    """Bytes; ValueError when `text` is no size."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()])
