"""Texts on their way into a Makefile: recipes and variables' values. Texts in, make's quoting out; touches nothing.

Two quotings meet here. In a variable's value `$`, `#`, a blank in front and a backslash at the end mean something to make; in a
recipe only `$` does, and all else is the shell's.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.generate.shell import quoted
from wherry.generate.text import in_one_line

FILE: Final = "Makefile"


def argv(*words: str, what: str = "a folder's name") -> str:
    """Words of a command in a recipe; `what` they are, for an error."""
    return code(quoted(*(in_one_line(word, what=what, file=f"a {FILE}") for word in words)))


def double(text: str) -> str:
    """A text inside the shell's double quotes."""
    return code(re.sub(r'([$`"\\])', r"\\\1", in_one_line(text, what="build.ldflags", file=f"a {FILE}")))


def code(text: str) -> str:
    """Shell in a recipe, or in a variable that recipes use."""
    return text.replace("$", "$$")


def assigned(text: str, *, what: str) -> str:
    """A text as a variable's value: an empty reference holds blanks at its beginning and a backslash at its end."""
    kept = whole(code(in_one_line(text, what=what, file=f"a {FILE}")))
    before, after = "$()" if kept.startswith((" ", "\t")) else "", "$()" if kept.endswith("\\") else ""
    return f"{before}{kept}{after}"


def whole(value: str) -> str:
    """What make takes for the whole value: `#` is escaped, and so are the backslashes before one (GNU make manual, 3.1)."""
    return re.sub(r"(\\*)#", r"\1\1\\#", value)


def several(*lines: str) -> str:
    """One command of the shell in several lines."""
    return " \\\n\t".join(lines)
