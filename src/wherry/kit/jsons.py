"""Strict JSON at the edge (B17). Bytes and a msgspec type in, a value or an error with a path out; touches nothing."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from wherry.errors import CorruptError
from wherry.kit.value import decodable

T = TypeVar("T")
DEPTH = 64
LARGEST = 2**63 - 1

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_FOLDED = frozenset(
    (
        *("schemaversion", "mediatype", "digest", "size", "layers", "manifests"),
        *("config", "platform", "subject", "artifacttype", "rootfs", "diff_ids"),
    )
)


def decode(data: bytes, kind: type[T], *, name: str, dec_hook: Any = None) -> T:
    """`data` as a `kind`; CorruptError [json] for what two parsers could read differently.

    That is: duplicate keys (known ones also but for case), NaN, numbers beyond 2^63-1, a BOM, bytes that are not UTF-8,
    nesting beyond 64.
    """
    try:
        _check(data)
        return msgspec.json.decode(data, type=decodable(kind), dec_hook=dec_hook)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise CorruptError("json", f"{name} is not valid: {error}", where=name) from error


def _check(data: bytes) -> None:
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("starts with a byte order mark")
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > DEPTH:
        raise ValueError(f"nested deeper than {DEPTH}")
    json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer)


def _unique(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        known = key.casefold()
        known = known if known in _FOLDED else key
        if known in seen:
            raise ValueError(f"the key {key!r} stands twice")
        seen.add(known)


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > LARGEST:
        raise ValueError(f"the number {digits[:24]} is out of range")
    return int(digits)
