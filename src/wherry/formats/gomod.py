"""go.mod (go.dev/ref/mod#go-mod-file). Bytes in, a GoMod out; touches nothing.

Read for its facts only: which versions exist and whether they fit is Go's business.
"""

from __future__ import annotations

from collections import defaultdict

from wherry.formats.golines import Line, bad, read_lines
from wherry.kit.value import Value


class Replace(Value, frozen=True, kw_only=True):
    """`replace old [version] => new [version]`; without a new version `new` is a folder."""

    old: str
    old_version: str = ""
    new: str
    new_version: str = ""
    line: int = 0

    @property
    def is_folder(self) -> bool:
        return not self.new_version


class GoMod(Value, frozen=True, kw_only=True):
    """What a go.mod says, in its order."""

    module: str
    go: str = ""
    toolchain: str = ""
    requires: tuple[tuple[str, str], ...] = ()
    replaces: tuple[Replace, ...] = ()
    excludes: int = 0
    tools: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()


def parse(data: bytes, *, name: str = "go.mod") -> GoMod:
    """The go.mod in `data`. Raises BuildError [go-mod] with `name:line` for what Go itself would refuse to read."""
    of: dict[str, list[Line]] = defaultdict(list)
    for line in read_lines(data, name=name):
        of[line.verb].append(line)
    if len(of["module"]) != 1:
        place = of["module"][1].number if of["module"] else 1
        raise bad(name, place, "says `module` twice" if of["module"] else "has no `module` line")
    return GoMod(
        module=_one(of["module"], name),
        go=_one(of["go"], name),
        toolchain=_one(of["toolchain"], name),
        requires=tuple(_pair(line, name) for line in of["require"]),
        replaces=tuple(read_replace(line, name) for line in of["replace"]),
        excludes=len(of["exclude"]),
        tools=tuple(_word(line, name) for line in of["tool"]),
        ignores=tuple(_word(line, name) for line in of["ignore"]),
    )


def read_replace(line: Line, name: str) -> Replace:
    """One `replace` line, of go.mod or go.work."""
    words = line.words
    arrow = words.index("=>") if "=>" in words else 0
    old, new = words[:arrow], words[arrow + 1 :]
    if not 1 <= len(old) <= 2 or not 1 <= len(new) <= 2:
        raise bad(name, line.number, "has a `replace` line that is not `old [version] => new [version]`")
    return Replace(
        old=old[0],
        old_version=old[1] if len(old) > 1 else "",
        new=new[0],
        new_version=new[1] if len(new) > 1 else "",
        line=line.number,
    )


def _one(lines: list[Line], name: str) -> str:
    if len(lines) > 1:
        raise bad(name, lines[1].number, f"says `{lines[1].verb}` twice")
    return _word(lines[0], name) if lines else ""


def _word(line: Line, name: str) -> str:
    if len(line.words) != 1:
        raise bad(name, line.number, f"needs one word after `{line.verb}`")
    return line.words[0]


def _pair(line: Line, name: str) -> tuple[str, str]:
    if len(line.words) != 2:
        raise bad(name, line.number, f"needs a module and a version after `{line.verb}`")
    return line.words[0], line.words[1]
