"""What `wherry generate` did, or would do, as people and programs read it. Values in, lines and JSON out."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from wherry.cli.output import Output

if TYPE_CHECKING:
    from wherry.flows.generate import Generated
    from wherry.flows.written import Change

DONE: Final = {
    "new": "new",
    "changed": "changed",
    "same": "unchanged",
    "gone": "no longer made by anything",
    "foreign": "replaced",
}
WOULD: Final = {**DONE, "new": "missing", "changed": "stale", "foreign": "not wherry's"}


def show(made: Generated, output: Output, *, mode: str, command: str = "") -> None:
    """A line a file on stdout, of unchanged ones, too, where a `command` asked for certain files; what was replaced as a diff, on
    stderr when it was done and on stdout when that was asked for."""
    for finding in made.findings:
        output.finding(finding)
    for error in made.errors:
        output.error(error)
    for one in made.changes:
        if mode == "diff":
            output.document(one.diff) if one.diff else None
        elif mode == "write" and one.state in ("changed", "foreign"):
            output.verbatim(one.diff)
    if mode != "diff":
        _list(made, output, mode, tuple(one for one in made.changes if command or one.state != "same"))
    output.line(_closing(made, mode))
    output.next(*_next(made, mode, command or "wherry generate"))


def _list(made: Generated, output: Output, mode: str, changes: tuple[Change, ...]) -> None:
    words = DONE if mode == "write" else WOULD
    said = [
        "edited" if one.path in made.edited else "another's" if one.by and mode != "write" else words[one.state]
        for one in changes
    ]
    width = max(map(len, said), default=0)
    for word, one in zip(said, changes, strict=True):
        output.result(f"{word.ljust(width)}  {one.path}")


def _next(made: Generated, mode: str, command: str) -> Iterator[str]:
    """Commands to go on with, for who stands in this process's folder; a file that is missing is made by its own `command`."""
    from wherry.flows.edited import ways_on

    gone = [os.path.relpath(f"{made.root}/{one.path}") for one in made.changes if one.state == "gone"]
    if gone:
        yield shlex.join(("rm", *gone))
    if made.edited:
        yield from ways_on("wherry generate")
    elif mode == "check" and any(one.state != "gone" for one in made.stale):
        yield from (command, f"{command} --diff")
    if mode == "write":
        yield from (step.command for step in made.onward)


def _closing(made: Generated, mode: str) -> str:
    count, stale = len(made.changes), len(made.stale)
    files = f"{count} file{'' if count == 1 else 's'}"
    if mode != "write":
        return (
            f"{stale} of {files} not as wherry would make {'it' if count == 1 else 'them'} now"
            if stale
            else f"{files}, all as made now"
        )
    wrote = sum(one.state in ("new", "changed", "foreign") for one in made.changes)
    same = sum(one.state == "same" for one in made.changes)
    left = f", {same} unchanged" if same else ""
    return f"wrote {wrote} of {files}{left}" if wrote else f"{files}, nothing to do"


def document(made: Generated) -> str:
    """`--json`: each file with its state, and the findings."""
    return json.dumps(
        {"schema": 1, "files": [_row(one) for one in made.changes], "findings": [one.name for one in made.findings]}
    )


def _row(change: Change) -> dict[str, str]:
    return {"path": change.path, "state": change.state, "diff": change.diff}
