"""Git without programs that a repository chose (A01, A02). A repository in, environment variables for any child that
may start git out; reads the repository's own git configuration.

Git takes settings from GIT_CONFIG_KEY_n after all files, so these win over a planted `.git/config`. Filters carry names of the
repository's choice, so the names are read and each is switched off; filters of the user's own configuration (git-lfs) still work.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wherry.kit.gitconfig import entries, sections

Pairs = tuple[tuple[str, str], ...]

OVERRIDES: Final[Pairs] = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("diff.external", ""),
    ("diff.ignoreSubmodules", "all"),
    ("protocol.ext.allow", "never"),
)
VARIABLES: Final[Pairs] = (
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_SSH_COMMAND", "ssh -o ControlMaster=no -o BatchMode=yes"),
    ("GIT_TERMINAL_PROMPT", "0"),
)


def git_environment(root: str, own: Pairs = ()) -> Pairs:
    """Variables that keep git, started about the repository of `root`, from running hooks, monitors, pagers, external
    diffs, filters and lazy fetches that the repository names. `own` are git settings of the user; ours come after
    them."""
    off = tuple(
        (f"filter.{name}.{key}", "") for name in planted_filters(root) for key in ("clean", "smudge", "process")
    )
    settings = (*own, *OVERRIDES, *off, *((key.rpartition(".")[0] + ".required", "false") for key, _ in off[::3]))
    pairs = [*VARIABLES, ("GIT_CONFIG_COUNT", str(len(settings)))]
    for number, (key, value) in enumerate(settings):
        pairs += [(f"GIT_CONFIG_KEY_{number}", key), (f"GIT_CONFIG_VALUE_{number}", value)]
    return tuple(sorted(pairs))


def planted_filters(root: str) -> tuple[str, ...]:
    """Names of all content filters that the configuration inside the repository defines, includes followed, sorted."""
    found: set[str] = set()
    waiting, seen = list(_own_files(root)), set[Path]()
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += _read(file, found)
    return tuple(sorted(found))


def git_directory(root: str) -> Path | None:
    """The `.git` folder that `root` belongs to (for a worktree or submodule: the one its `.git` file names)."""
    for folder in (Path(root), *Path(root).parents):
        git = folder / ".git"
        if git.is_file():
            named = _text(git).removeprefix("gitdir:").strip()
            return folder / named if named else None
        if git.is_dir():
            return git
    return None


def _own_files(root: str) -> tuple[Path, ...]:
    git = git_directory(root) if root else None
    if git is None:
        return ()
    common = git / (_text(git / "commondir").strip() or ".")
    return (common / "config", git / "config.worktree")


def _read(file: Path, found: set[str]) -> list[Path]:
    """Adds the filters of one file to `found`; returns the files that it includes, whether or not their condition
    holds. Those in the user's own home (`~/...`) are the user's."""
    text = _text(file)
    found |= {name for section, name in sections(text) if section == "filter" and name}
    paths = (value for section, _, key, value in entries(text) if section in ("include", "includeif") and key == "path")
    return [file.parent / os.path.expanduser(path) for path in paths if path and not path.startswith("~/")]  # noqa: PTH111 - must not raise


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig", errors="surrogateescape") if file.is_file() else ""
    except OSError:
        return ""
