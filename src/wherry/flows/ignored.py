"""Written files that git ignores: no commit would take them, and nothing finds them again. Changes in, a finding out; asks
git.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from wherry.analyze.layout import Layout
from wherry.analyze.vcs import Git, ignored
from wherry.flows.written import Change
from wherry.kit.ports import Machine
from wherry.model.finding import Finding


def unseen(changes: tuple[Change, ...], layout: Layout, machine: Machine) -> Iterator[Finding]:
    """A warning for those of the files that are there now."""
    names = tuple(one.path for one in changes if one.state != "gone")
    found = ignored(layout, names, Git(layout.git, machine.which("git"), machine.environment, machine.run))
    if found:
        more = f" and {len(found) - 1} more are" if len(found) > 1 else " is"
        yield Finding(
            name="ignored-file",
            message=f"{found[0][0]}{more} ignored by git, by {found[0][1]}: no commit takes it, no `wherry generate` finds it",
            next=shlex.join(("git", "add", "-f", *(os.path.relpath(f"{layout.root}/{name}") for name, _ in found))),
        )


def taken(command: str) -> str:
    """A command that adds files to git, as it adds these, too."""
    add = "git add "
    return f"{add}-f {command.removeprefix(add)}" if command.startswith(add) else command
