"""`required-version`: which versions of wherry understand a file. Two texts in, yes or no out; touches nothing."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final

from wherry.kit.text import numbers

Version = tuple[int, ...]
_PART: Final = re.compile(r"\s*(>=|<=|==|!=|<|>)\s*(\d{1,6}(?:\.\d{1,6}){0,3})\s*", re.ASCII)
_COMPARE: Final[dict[str, Callable[[Version, Version], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


def satisfied(required: str, version: str) -> bool:
    """Whether `version` is one of `required`, for instance `>=0.2, <1`. ValueError when that cannot be read."""
    ours = _padded(re.match(r"[0-9.]*", version)[0])  # type: ignore[index]  # the pattern matches anything
    parts = [_PART.fullmatch(part) for part in required.split(",")]
    if not all(parts):
        raise ValueError(required)
    return all(_COMPARE[part[1]](ours, _padded(part[2])) for part in parts if part)


def _padded(text: str) -> Version:
    return (*numbers(text), 0, 0, 0, 0)[:4]
