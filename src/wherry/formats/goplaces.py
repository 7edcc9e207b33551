"""Go's places as the person at the terminal can follow them. Go's words and two folders in, words out; looks which files exist.

Go names files relative to where it was started; editors and terminals link them relative to where the person stands.
"""

from __future__ import annotations

import os
import re
from typing import Final

#: `path.go:4:17` at the start of a line, as go list, the compilers, cgo's C compiler and the go.mod parser write it.
PLACE: Final = re.compile(
    r"(?P<indent>\s*)(?P<file>[^\s:][^:]*\.(?:go|mod|work|sum|c|cc|cpp|cxx|h|hh|hpp|hxx|m|mm|s|S|sx|f|F|for|f90|y|swig|swigcxx))"
    r"(?P<position>:\d+(?::\d+)?)(?=[:\s,]|$)"
)


def followed(said: str, directory: str, reader: str) -> str:
    """`said` with each relative place that exists below `directory` rewritten to be relative to `reader`."""
    if not reader or os.path.realpath(reader) == os.path.realpath(directory):
        return said
    return "".join(_line(line, directory, reader) for line in said.splitlines(keepends=True))


def places(said: str) -> tuple[str, ...]:
    """Every place named at the start of a line, in order, each once."""
    found = (PLACE.match(line) for line in said.splitlines())
    return tuple(dict.fromkeys(match["file"].removeprefix("./") + match["position"] for match in found if match))


def _line(line: str, directory: str, reader: str) -> str:
    match = PLACE.match(line)
    if match is None or match["file"].startswith("/"):
        return line
    file = os.path.normpath(os.path.join(directory, match["file"]))  # noqa: PTH118 - text in, text out
    if not os.path.lexists(file):
        return line
    near = os.path.relpath(file, reader)
    return f"{match['indent']}{near if not near.startswith('../../../') else file}{line[match.end('file') :]}"
