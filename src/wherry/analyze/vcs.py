"""The git state of the sources. A folder in, a Vcs or a finding out; starts git's plumbing, and nothing that the
repository chose: which git commands run programs out of `.git/config` was tried for each one used here (A01, A02).
"""

from __future__ import annotations

import os
import re
from typing import Final

from wherry.analyze.layout import Layout
from wherry.analyze.version import Head, Tagged, best_tag, version_of
from wherry.analyze.weburl import web_address
from wherry.kit.gitsafe import git_environment
from wherry.kit.goenv import merged, search_path
from wherry.kit.ports import Command, Completed, Environment, Run
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.project import Module, ModuleVersion, Vcs

Pairs = tuple[tuple[str, str], ...]
MINUTE = 60.0
#: Over `git_environment`: reading must not fetch at all (a partial clone would, by the repository's own ssh command),
#: nor ask.
READ_ONLY: Pairs = (
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_ASKPASS", "false"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
)
#: A line of `git check-ignore --verbose`; one whose pattern begins with ! says that the file is none of them.
PATTERN: Final = re.compile(r"(?P<place>.*?:[0-9]+):(?!!).*\t(?P<path>[^\t]+)")
#: What the listing shows when git takes settings from the environment (git 2.31 and later).
EFFECTIVE = b"command\0core.fsmonitor\nfalse\0"


class Source(Value, frozen=True, kw_only=True):
    """Where to look: the folder that holds `.git`, the module that tags belong to, and others to be told of."""

    folder: str
    module: Module | None = None
    module_folder: str = ""
    """Absolute."""
    modules: tuple[tuple[str, str], ...] = ()
    """Path and absolute folder of each."""


class Looked(Value, frozen=True, kw_only=True):
    """What was seen; without a Vcs the findings say why."""

    vcs: Vcs | None = None
    findings: tuple[Finding, ...] = ()


def look(source: Source, git: str, environment: Environment, run: Run) -> Looked:
    """The state of HEAD and the work tree. Never raises for what a repository holds."""
    if not source.folder:
        return Looked()
    if not git:
        return _unknown(
            "git-missing", "git is not installed, so version and revision are unknown", source, "install git"
        )
    ask = Git(source.folder, git, environment, run)
    listing = ask("config", "--list", "--show-scope", "--null")
    if EFFECTIVE not in listing.stdout:
        return _unknown(
            "git-too-old",
            "this git cannot be told to start nothing; version and revision are unknown",
            source,
            "install git 2.31 or newer",
        )
    status = ask(
        "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--no-renames", "--ignore-submodules=all", "-z"
    )
    if status.code:
        return _refused(status, source)
    head, branch, changed = read_status(status.stdout)
    if not head:
        return _unknown(
            "git-empty", "the git repository has no commit yet, so there is no revision", source, "git commit"
        )
    return _described(ask, source, Head(revision=head, branch=branch, changed=changed), origin_of(listing.stdout))


def _described(ask: Git, source: Source, head: Head, origin: str) -> Looked:
    time = _commit_time(ask, head.revision)
    tags = read_tags(
        ask(
            "for-each-ref",
            f"--merged={head.revision}",
            "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)",
            "refs/tags",
        ).stdout
    )
    tag = _tag(tags, head, source.module.path if source.module else "", source.module_folder or source.folder, source)
    shallow = os.path.exists(os.path.join(source.folder, ".git/shallow"))
    findings: tuple[Finding, ...] = ()
    if shallow and (tag is None or tag.revision != head.revision):
        message = "the clone is shallow, so the nearest version tag may be missing"
        findings = (
            Finding(
                name="shallow-clone",
                message=message,
                severity="note",
                subject=source.folder,
                next="git fetch --unshallow --tags",
            ),
        )
    vcs = Vcs(
        revision=head.revision,
        tag=tag.name if tag else "",
        version=version_of(tag, head, time),
        modules=tuple(
            ModuleVersion(module=path, tag=own.name if own else "", version=version_of(own, head, time))
            for path, folder in source.modules
            for own in (_tag(tags, head, path, folder, source),)
        ),
        dirty=head.changed > 0,
        changed_files=head.changed,
        time=time,
        branch=head.branch,
        source=web_address(origin),
    )
    return Looked(vcs=vcs, findings=findings)


def _tag(tags: tuple[Tagged, ...], head: Head, module: str, folder: str, source: Source) -> Tagged | None:
    """The tag that counts for `module`, which lies in `folder` (absolute)."""
    prefix = os.path.relpath(folder, source.folder).replace(os.sep, "/")
    return best_tag(tags, head.revision, prefix="" if prefix == "." else f"{prefix}/", module=module)


class Git:
    """Runs git in the one folder, with what makes it harmless."""

    def __init__(self, folder: str, git: str, environment: Environment, run: Run) -> None:
        self.folder, self._git, self._environment, self._run = folder, git, environment, run

    @property
    def there(self) -> bool:
        """Whether git is installed."""
        return bool(self._git)

    def __call__(self, *arguments: str) -> Completed:
        variables = merged(
            self._environment.child,
            tuple(pair for pair in self._environment.private if pair[0] in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")),
            git_environment(self.folder, (("safe.bareRepository", "explicit"),)),
            READ_ONLY,
            (
                ("PATH", search_path(self._environment.path, self.folder)),
                ("GIT_CEILING_DIRECTORIES", os.path.dirname(self.folder)),
            ),
        )
        command = Command(
            argv=(self._git, "--no-pager", *arguments), environment=variables, directory=self.folder, timeout=MINUTE
        )
        return self._run(command)


def unsaved(layout: Layout, names: tuple[str, ...], git: Git) -> tuple[str, ...]:
    """Those of the files, relative to the layout's root, whose text no commit has: changed, new, ignored, and all where git
    cannot be asked."""
    if not names:
        return ()
    listing = git("config", "--list", "--show-scope", "--null") if layout.git and git.there else None
    if listing is None or EFFECTIVE not in listing.stdout:
        return names
    return tuple(name for name in names if not _saved(os.path.relpath(f"{layout.root}/{name}", layout.git), git))


def ignored(layout: Layout, names: tuple[str, ...], git: Git) -> tuple[tuple[str, str], ...]:
    """Those of the files, relative to the layout's root, that no `git add` takes, each with `FILE:LINE` of the pattern; none
    where git cannot be asked."""
    if not names or not layout.git or not git.there:
        return ()
    paths = {os.path.relpath(f"{layout.root}/{name}", layout.git): name for name in names}
    done = git("-c", "core.quotePath=false", "check-ignore", "--verbose", "--", *paths)
    rows = map(PATTERN.fullmatch, done.stdout.decode("utf-8", "surrogateescape").splitlines())
    return tuple((paths[row["path"]], row["place"]) for row in rows if row and row["path"] in paths)


def _saved(path: str, git: Git) -> bool:
    words = ("--porcelain=v2", "--untracked-files=all", "--ignored", "--no-renames", "-z", "--", path)
    done = git("--literal-pathspecs", "status", *words)
    return done.code == 0 and not done.stdout


def read_status(data: bytes) -> tuple[str, str, int]:
    """Commit (empty: none yet), branch (empty: detached) and number of changed entries of `git status --porcelain=v2
    --branch -z`.
    """
    head, branch, changed = "", "", 0
    for entry in data.split(b"\0"):
        if entry.startswith(b"# branch.oid "):
            head = entry[13:].decode("ascii", "replace").replace("(initial)", "")
        elif entry.startswith(b"# branch.head "):
            branch = entry[14:].decode("utf-8", "replace").replace("(detached)", "")
        elif entry[:2] in (b"1 ", b"2 ", b"u ", b"? "):
            changed += 1
    return head, branch, changed


def read_tags(data: bytes) -> tuple[Tagged, ...]:
    """Tags with the commit each leads to."""
    found = []
    for line in data.decode("utf-8", "replace").splitlines():
        name, _, objects = line.partition("\0")
        own, _, peeled = objects.partition("\0")
        found.append(Tagged(name=name, revision=peeled or own))
    return tuple(found)


def origin_of(listing: bytes) -> str:
    """The address of the remote `origin` as configured."""
    for entry in listing.decode("utf-8", "replace").split("\0"):
        key, _, value = entry.partition("\n")
        if key == "remote.origin.url":
            return value
    return ""


def _commit_time(ask: Git, revision: str) -> int:
    stamp = ask("rev-list", "--max-count=1", "--timestamp", "--end-of-options", revision).stdout.split()
    return int(stamp[0]) if stamp and stamp[0].isdigit() else 0


def _refused(status: Completed, source: Source) -> Looked:
    said = status.stderr.decode("utf-8", "replace")
    if "dubious ownership" in said:
        message = "the repository belongs to another user, so git does not read it; version and revision are unknown"
        return _unknown("git-owner", message, source, f"git config --global --add safe.directory {source.folder}")
    return _unknown(
        "git-unreadable", "git cannot read this repository; version and revision are unknown", source, "git status"
    )


def _unknown(name: str, message: str, source: Source, next_step: str) -> Looked:
    return Looked(findings=(Finding(name=name, message=message, subject=source.folder, next=next_step),))
