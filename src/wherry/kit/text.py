"""Text from outside made harmless, and numbers made readable. Strings in, strings out; touches nothing."""

from __future__ import annotations

import re
import unicodedata

_KEPT = {"\n", "\t"}


def visible(text: str, *, keep: frozenset[str] = frozenset(_KEPT)) -> str:
    """`text` with control characters, bidi overrides, separators and lone surrogates shown as `\\xNN` or `\\uNNNN` (H01, H02)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep
        or (not unicodedata.category(character).startswith("C") and character not in "\u2028\u2029")
        else _escaped(character)
        for character in text
    )


def one_line(text: str) -> str:
    """`visible` without line breaks or tabs: for names and values inside a line."""
    return visible(text, keep=frozenset())


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def megabytes(size: int) -> str:
    """Bytes as people read them: `27.4 MB` (10^6), two digits below ten kilobytes."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor or (unit == "MB" and size >= 100_000):
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def seconds(duration: float) -> str:
    """`2.21` below a minute, `3 min 05` above."""
    return f"{duration:.2f}" if duration < 60 else f"{int(duration // 60)} min {int(duration % 60):02d}"


def numbers(version: str) -> tuple[int, ...]:
    """The numbers in a version, in their order: 1, 26 and 8 of `go1.26.8`; none of nothing."""
    return tuple(map(int, re.findall(r"\d+", version, re.ASCII)))


def dotted(path: str) -> str:
    """A relative path as Go takes it for a folder, and not for a package of that name: `./cmd/api`, `..`, `.`."""
    return path if path.split("/", 1)[0] in (".", "..") else f"./{path}"


def closest(word: str, choices: tuple[str, ...]) -> str:
    """The choice nearest to `word`, or empty when none is near."""
    import difflib

    return next(iter(difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)), "")
