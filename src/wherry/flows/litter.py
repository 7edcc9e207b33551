"""Output into the sources' own git worktree. Places in, warnings out; asks git whether it looks at them.

Wherry writes nothing into a worktree unasked. Asked to, it does, and then says that the next build will not be clean.
"""

from __future__ import annotations

import os
from pathlib import Path

from wherry.kit.gitsafe import git_environment
from wherry.kit.goenv import merged
from wherry.kit.ports import Command
from wherry.model.finding import Finding
from wherry.store import place as places
from wherry.store.keeper import Ports

#: What lets git find the user's own list of ignored files.
USERS = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")


def littering(chosen: tuple[places.Place, ...], root: str, ports: Ports) -> tuple[Finding, ...]:
    """A warning for each place in the worktree `root` that git does not ignore: from then on versions end in +dirty."""
    git = ports.which("git")
    if not git or not Path(root, ".git").exists():
        return ()
    inside = {name: one for place in chosen if (name := _inside(place, root)) for one in (_written(place, name),)}
    return tuple(_finding(name) for name, file in inside.items() if not _is_ignored(file, root, git, ports))


def _inside(place: places.Place, root: str) -> str:
    """The place as a path relative to `root`, or empty."""
    match place:
        case (
            places.LayoutPlace(directory=path)
            | places.OciArchivePlace(file=path)
            | places.DockerArchivePlace(file=path)
        ):
            name = os.path.relpath(path, root)
            return "" if name.split("/")[0] == ".." else name
        case _:
            return ""


def _written(place: places.Place, name: str) -> str:
    """A file that is there afterwards: a folder without files means nothing to git."""
    return f"{name}/index.json" if isinstance(place, places.LayoutPlace) else name


def _is_ignored(file: str, root: str, git: str, ports: Ports) -> bool:
    users = tuple((name, value) for name in USERS if (value := ports.variable(name)))
    command = Command(
        argv=(git, "check-ignore", "--quiet", "--", file),
        environment=merged(users, git_environment(root)),
        directory=root,
        timeout=60.0,
    )
    return ports.run(command).code != 1


def _finding(name: str) -> Finding:
    return Finding(
        name="output-in-worktree",
        message=f"{name} lies in the git repository and is not ignored, so the next version ends in +dirty",
        next=f"add /{name} to .gitignore and commit that, or name a place outside",
    )
