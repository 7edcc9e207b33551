"""What Go's and wherry's version stamping reads of a git repository, as inputs. A worktree in, Inputs out; asks git.

A revision's time and ancestry hang on its hash and never change. What can change: which revision is checked out, tags, whether
the worktree is as the revision says, and all settings and ignore files that decide how git sees that.
"""

from __future__ import annotations

import os
from pathlib import Path

from wherry.cache.noop.inputs import Inputs, Tree
from wherry.kit.ports import Command, Run
from wherry.kit.value import Value

Pairs = tuple[tuple[str, str], ...]
MARKERS = (".git", ".hg", ".svn", ".bzr", ".fslckout", "_FOSSIL_")
"""By which Go finds a repository; without one, each of these could appear in any folder above (`cmd/go/internal/vcs`)."""
ABSOLUTE = ("/etc/gitconfig", "/etc/gitattributes")
OWN = ("HEAD", "index", "config.worktree", "info/sparse-checkout")
SHARED = (
    *("config", "packed-refs", "shallow", "reftable/tables.list"),
    *("info/attributes", "info/exclude", "info/grafts", "info/sparse-checkout"),
)
TREES = ("refs/tags", "refs/replace")
MOST_FOLDERS = 1000


class Git(Value, frozen=True, kw_only=True):
    """How to ask git: its path and the whole environment, `kit.gitsafe.git_environment` of this worktree included."""

    program: str
    environment: Pairs


def worktree_of(directory: str) -> str:
    """The nearest folder from `directory` upwards that holds `.git`; empty when none does."""
    return next((str(one) for one in (Path(directory), *Path(directory).parents) if (one / ".git").exists()), "")


def git_inputs(worktree: str, git: Git, run: Run) -> Inputs:
    """All of `worktree`, the folder that holds `.git`. To be called after `begin`; takes some 15 ms, best while Go compiles."""
    folder = _git_folder(Path(worktree, ".git"))
    settings = _ask(run, git, worktree, "config", "--list", "--show-origin", "-z")
    hidden = _ask(run, git, worktree, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    ignored = _ignored(worktree, git, run)
    if folder is None or settings is None or hidden is None or ignored is None:
        return Inputs(unclear="git could not say what it looks at")
    shared = _shared_folder(folder)
    return Inputs(
        paths=(
            *(str(folder / name) for name in OWN),
            *(str(shared / name) for name in SHARED),
            *(str(shared / name) for name in TREES),
            *_heads(folder, shared),
            *_settings(settings, git, worktree),
            *(f"{worktree}/{name}" for name in hidden),
        ),
        places=(worktree, f"{worktree}/.git", str(folder), str(shared)),
        trees=(
            Tree(root=worktree, kind="git", skip=ignored),
            *(Tree(root=str(shared / name)) for name in TREES if (shared / name).is_dir()),
        ),
        programs=(("git", git.program),),
    )


def no_git_inputs(directory: str) -> Inputs:
    """Outside any repository: that this stays so. `directory` is absolute."""
    markers = tuple(str(folder / name) for folder in (Path(directory), *Path(directory).parents) for name in MARKERS)
    found = next((path for path in markers if os.path.lexists(path)), "")
    return Inputs(paths=markers, unclear=f"{found} is of a repository that the check cannot read" if found else "")


def _ignored(worktree: str, git: Git, run: Run) -> tuple[str, ...] | None:
    """Files and folders that git does not look at. Not a folder that only happens to hold nothing but ignored files, which
    `ls-files` lists too: a new file in it could be another.

    No `git status` here: that would run the content filters which the repository's settings name.
    """
    words = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    listed = _ask(run, git, worktree, *words)
    folders = tuple(name for name in listed or () if name.endswith("/"))[:MOST_FOLDERS]
    meant = _ask(run, git, worktree, "check-ignore", "--", *folders) if folders else ()
    if listed is None or meant is None:
        return None
    lines = frozenset("".join(meant).split("\n"))  # names that git has to quote match nothing, and are looked into
    return tuple(f"{worktree}/{name.rstrip('/')}" for name in listed if not name.endswith("/") or name in lines)


def _ask(run: Run, git: Git, worktree: str, *words: str) -> tuple[str, ...] | None:
    """The answer's fields; None when git will not answer (1: nothing is ignored, which is an answer)."""
    done = run(Command(argv=(git.program, *words), environment=git.environment, directory=worktree, timeout=60.0))
    return None if done.code > 1 else tuple(filter(None, os.fsdecode(done.stdout).split("\0")))


def _git_folder(marker: Path) -> Path | None:
    """The folder of this worktree's HEAD and index (gitrepository-layout(5)); `.git` may be a file that names it."""
    if marker.is_dir():
        return marker
    try:
        text = os.fsdecode(marker.read_bytes())
    except OSError:
        return None
    word, _, path = text.strip().partition("gitdir: ")
    return None if word or not path else Path(os.path.normpath(marker.parent / path))


def _shared_folder(folder: Path) -> Path:
    try:
        return Path(os.path.normpath(folder / os.fsdecode((folder / "commondir").read_bytes()).strip()))
    except OSError:
        return folder


def _heads(folder: Path, shared: Path) -> tuple[str, ...]:
    """The files from HEAD to the commit it means, in both folders where they could be."""
    found: list[str] = []
    name = "HEAD"
    for _ in range(5):
        places = (folder / name, shared / name)
        found += map(str, places)
        text = next((place.read_text("utf-8", "surrogateescape") for place in places if place.is_file()), "")
        if not text.startswith("ref: "):
            break
        name = text[5:].strip()
    return tuple(found)


def _settings(rows: tuple[str, ...], git: Git, worktree: str) -> tuple[str, ...]:
    """Every file git takes settings, ignore rules or attributes from, or would if it were there."""
    known = dict(git.environment)
    home = known.get("HOME", "")
    personal = f"{known.get('XDG_CONFIG_HOME') or home + '/.config'}/git"
    prefix = str(Path(git.program).resolve().parent.parent)
    found = [*ABSOLUTE, f"{prefix}/etc/gitconfig", f"{prefix}/etc/gitattributes", f"{home}/.gitconfig"]
    found += [f"{personal}/{name}" for name in ("config", "ignore", "attributes")]
    found += [known[name] for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM") if known.get(name)]
    for origin, setting in zip(rows[::2], rows[1::2], strict=True):
        kind, _, file = origin.partition(":")
        path = os.path.join(worktree, file) if kind == "file" else ""
        name, _, value = setting.partition("\n")
        found += [path] if path else []
        if name in ("core.excludesfile", "core.attributesfile") or (
            name.startswith("include") and name.endswith(".path")
        ):
            found.append(os.path.join(os.path.dirname(path) or worktree, _expanded(value, home)))
    return tuple(dict.fromkeys(path for path in found if path.startswith("/")))


def _expanded(path: str, home: str) -> str:
    return home + path[1:] if path.startswith("~/") else path
