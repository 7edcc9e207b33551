"""The start of a Go file: build constraints, package clause, imports. Bytes in, a Header or those bytes out; touches nothing.

The same small scanner as Go's own (go/build readGoInfo): comments, then `package NAME`. No tree is needed for it.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.kit.value import Value

#: Bytes read at first; only very long licence texts need more.
START = 8 << 10

_TOKEN: Final = re.compile(rb'(?:[\s;(.)]|//[^\n]*|/\*.*?\*/|"[^"\\\n]*"|`[^`]*`)+|\w+', re.DOTALL)
#: No word before the last import is one of these (Go spec, "Source file organization").
_DECLARATIONS: Final = (b"const", b"func", b"type", b"var")


class Header(Value, frozen=True, kw_only=True):
    """`package` is empty when there is no package clause. `constraint` is the `//go:build` expression, or that of `//
    +build` lines.
    """

    package: str = ""
    constraint: str = ""


def read_header(data: bytes) -> Header:
    """The header of a file, as far as `data` goes."""
    position, constraint, old = 0, "", []
    text = data.removeprefix(b"\xef\xbb\xbf")
    while position < len(text):
        if text[position : position + 1].isspace():
            position += 1
        elif text.startswith(b"//", position):
            end = text.find(b"\n", position)
            end = len(text) if end < 0 else end
            line = text[position:end].decode("utf-8", "replace").strip()
            position = end
            if line.startswith("//go:build ") and not constraint:
                constraint = line.removeprefix("//go:build ").strip()
            elif line.removeprefix("//").strip().startswith("+build "):
                old.append(line.removeprefix("//").strip().removeprefix("+build ").split())
        elif text.startswith(b"/*", position):
            end = text.find(b"*/", position + 2)
            if end < 0:
                break
            position = end + 2
        else:
            break
    return Header(package=_package(text[position : position + 256]), constraint=constraint or _modern(old))


def listed_part(data: bytes) -> bytes:
    """All that `go list` looks at in a file: what comes before the first declaration, and every line with an embed directive.
    The whole file where something else comes first."""
    tokens, end = _TOKEN.scanner(data), 0  # type: ignore[attr-defined]  # typeshed does not know it
    while (token := tokens.match()) and token[0] not in _DECLARATIONS:
        end = token.end()
    if token is None:
        return data.rstrip()
    embeds = (line for line in data[end:].splitlines() if b"go:embed" in line)
    return b"\n".join((data[:end].rstrip(), *embeds))


def _package(text: bytes) -> str:
    words = text.decode("utf-8", "replace").replace(";", " ").split(maxsplit=2)
    if len(words) < 2 or words[0] != "package":
        return ""
    return words[1].partition("/")[0]


def _modern(lines: list[list[str]]) -> str:
    """`// +build a,!b c` as `((a && !b) || (c))`: blanks are or, commas are and, lines are and."""
    options = (" || ".join("(" + " && ".join(term.split(",")) + ")" for term in line) for line in lines if line)
    return " && ".join(f"({one})" for one in options)
