"""go.work (go.dev/ref/mod#go-work-file). Bytes in, a GoWork out; touches nothing."""

from __future__ import annotations

from wherry.formats.golines import bad, read_lines
from wherry.formats.gomod import Replace, read_replace
from wherry.kit.value import Value

SINGLE = ("go", "toolchain")


class GoWork(Value, frozen=True, kw_only=True):
    """What a go.work says; `uses` are folders as written."""

    go: str = ""
    toolchain: str = ""
    uses: tuple[str, ...] = ()
    replaces: tuple[Replace, ...] = ()


def parse(data: bytes, *, name: str = "go.work") -> GoWork:
    """The go.work in `data`. Raises BuildError [go-mod] with `name:line` for what Go itself would refuse to read."""
    lines = read_lines(data, name=name)
    single: dict[str, str] = {}
    uses: list[str] = []
    for line in lines:
        if line.verb not in (*SINGLE, "use"):
            continue
        if len(line.words) != 1:
            raise bad(name, line.number, f"needs one word after `{line.verb}`")
        if line.verb == "use":
            uses.append(line.words[0])
        elif line.verb in single:
            raise bad(name, line.number, f"says `{line.verb}` twice")
        else:
            single[line.verb] = line.words[0]
    return GoWork(
        go=single.get("go", ""),
        toolchain=single.get("toolchain", ""),
        uses=tuple(uses),
        replaces=tuple(read_replace(line, name) for line in lines if line.verb == "replace"),
    )
