"""Values as Go source has them. Texts and seconds in, literals out; a source in, the same with other values out; touches nothing.

https://go.dev/ref/spec#String_literals
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: Unit of package time → nanoseconds, longest first.
_UNITS: Final = (("time.Second", 10**9), ("time.Millisecond", 10**6), ("time.Nanosecond", 1))


def quoted(text: str) -> str:
    """An interpreted string literal; what cannot be printed is escaped. ValueError for half a surrogate pair."""
    return f'"{"".join(map(_sign, text))}"'


def _sign(sign: str) -> str:
    if sign in _SHORT:
        return _SHORT[sign]
    if sign.isprintable():
        return sign
    code = ord(sign)
    if 0xD800 <= code < 0xE000:
        raise ValueError(f"U+{code:04X} is no character")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def duration(seconds: float) -> str:
    """`1500 * time.Millisecond`."""
    nanoseconds = round(seconds * 1e9)
    unit, size = next(one for one in _UNITS if nanoseconds % one[1] == 0)
    return f"{nanoseconds // size} * {unit}"


def strings(texts: Iterable[str]) -> str:
    """`[]string{"a", "b"}`."""
    return f"[]string{{{', '.join(map(quoted, texts))}}}"


def assigned(source: str, name: str, value: str) -> str:
    """`source` with another value in its one line `NAME = ...`, wherever gofmt aligned the sign."""
    made, count = re.subn(rf"(?m)^(\t?{name} += ).*$", lambda line: line[1] + value, source)
    assert count == 1, f"{count} lines say {name} ="
    return made
