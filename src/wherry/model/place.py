"""Where in the sources something was seen. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value


class Place(Value, frozen=True, kw_only=True):
    """A position in a file, as editors link it. `file` is relative to the project root, with forward slashes."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)
