"""Generated files beside those that are there: compared, shown, written together or not at all. Files in, changes out; touches
the repository's files.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from wherry.errors import RefusedError, UsageError, WherryError
from wherry.generate.header import WITHIN, Command, found, headed, words
from wherry.generate.kept import merged
from wherry.kit.files import atomic_writer, disk_errors, is_beneath
from wherry.kit.value import Value
from wherry.model.file import File

LARGEST: Final = 1 << 20
EXECUTABLE: Final = 0o755
PLAIN: Final = 0o644
HEAD: Final = 4096
"""Bytes: more than most first lines have; longer ones are read on."""
SKIPPED: Final = frozenset(("node_modules", "vendor", "testdata"))
"""Folders where nobody keeps generated files of their own."""

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
State = Literal["new", "changed", "same", "gone", "foreign"]
"""gone: an earlier run made it, and this one would not; foreign: somebody else wrote what is there, or it was made of programs
that are none of this run's."""


class Change(Value, frozen=True, kw_only=True):
    """One file, and what writing does to it."""

    path: str
    """Relative to the root."""
    state: State
    text: str = ""
    """Whole, as it is to be."""
    before: str = ""
    executable: bool = False
    by: str = ""
    """Of a foreign one: the command that made it; empty: no command of wherry."""
    named: bool = False
    """Its first line names the very command that makes it now."""

    @property
    def diff(self) -> str:
        """As `diff -u` writes it; empty where nothing changes."""
        old, new = (_LINE.findall(text) for text in (self.before, self.text))
        return "".join(difflib.unified_diff(old, new, self.path if self.before else "/dev/null", self.path))


def gone(paths: Iterable[str]) -> tuple[Change, ...]:
    """Files that nothing makes any more."""
    return tuple(Change(path=one, state="gone") for one in paths)


Covers = Callable[[Command], bool]
"""Whether all that another command made a file of is in this one, too."""


def compared(
    root: Path, files: tuple[File, ...], command: Command, covers: Covers
) -> tuple[tuple[Change, ...], tuple[WherryError, ...]]:
    """Each file beside what is there, the user's parts in it; and an error for each whose parts cannot stay. RefusedError
    [unsafe-file] for a path that leads out of the root, a link or a folder."""
    changes, errors = list[Change](), list[WherryError]()
    made_here = {posixpath.dirname(one.path) for one in files if one.comment and _command(root, one, command)}
    for one in files:
        try:
            changes.append(_compared(root, one, command, _owned(one, command, covers, made_here)))
        except UsageError as error:
            if error.name != "kept-part":
                raise
            changes.append(Change(path=_name(one, command), state="changed"))
            errors.append(error)
    return tuple(changes), tuple(errors)


Owned = Callable[[str, str], bool]


def _owned(file: File, command: Command, covers: Covers, made_here: set[str]) -> Owned:
    """Whether a text that is there, under a name, is this command's to write anew. What has no comments is, where a file
    beside it says that wherry made it."""

    def owned(before: str, name: str) -> bool:
        if not file.comment:
            return posixpath.dirname(file.path) in made_here
        other = found(before, name)
        return other is not None and (other == command or covers(other))

    return owned


def _command(root: Path, file: File, command: Command) -> Command | None:
    name = _name(file, command)
    return found(_head(root / name), name)


def _name(file: File, command: Command) -> str:
    return posixpath.normpath(posixpath.join(command.home, file.path))


def _compared(root: Path, file: File, command: Command, owned: Owned) -> Change:
    name = _name(file, command)
    path = _safe(root, name)
    text = headed(file, command)
    before = contents(path, name)
    made = Change(path=name, state="new", text=text, executable=file.executable)
    if before is None:
        return made
    other = found(before, name) if file.comment else None
    made = replace(made, before=before, named=other == command)
    if text != before and (file.once or not owned(before, name)):
        return replace(made, state="foreign", by=words(other) if other else "")
    text = merged(before, text, name)
    same = text == before and bool(path.stat().st_mode & 0o100) == file.executable
    return replace(made, state="same" if same else "changed", text=text)


def _safe(root: Path, name: str) -> Path:
    path = root / name
    outside = name.startswith(("../", "/")) or not is_beneath(path.parent, root)
    if outside or path.is_symlink() or (path.exists() and not path.is_file()):
        why = "it leads out of the repository" if outside else "it is a link or a folder"
        raise RefusedError(
            "unsafe-file", f"{name} is not written to", where=name, why=why, next="move it, or remove it"
        )
    return path


def contents(path: Path, name: str) -> str | None:
    """What a file says; None where there is none. UsageError [unsafe-file] for one that is too large."""
    with disk_errors(path):
        if not path.exists():
            return None
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError("unsafe-file", f"{name} is larger than 1 MiB", where=name, next="move it elsewhere")
    return data.decode("utf-8", "surrogateescape")


def write(root: Path, changes: tuple[Change, ...]) -> None:
    """All new and changed files: written beside their places first, and put there when every one of them could be (I06)."""
    wanted = tuple(one for one in changes if one.state in ("new", "changed", "foreign"))
    made = _folders(root, wanted)
    try:
        with contextlib.ExitStack() as stack:
            for one in wanted:
                mode = EXECUTABLE if one.executable else PLAIN
                file = stack.enter_context(atomic_writer(root / one.path, mode=mode))
                file.write(one.text.encode("utf-8", "surrogateescape"))
                file.flush()
                os.fsync(file.fileno())  # a full disk says so here, while nothing is at its place yet
    except BaseException:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _folders(root: Path, wanted: tuple[Change, ...]) -> tuple[Path, ...]:
    """The folders that were not there, outermost first."""
    made: list[Path] = []
    for one in wanted:
        parent = (root / one.path).parent
        missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        with disk_errors(parent):
            for folder in reversed(missing):
                folder.mkdir()
                made.append(folder)
    return tuple(made)


def commands_in(root: Path, names: tuple[str, ...] | None) -> dict[Command, tuple[str, ...]]:
    """Every command that a file of the repository names, and its files, sorted. `names`: what git knows or would take; None: no
    git, so every file below the root that is not somebody else's. UsageError [bad-header]."""
    named: dict[Command, list[str]] = {}
    for name in sorted(_walked(root) if names is None else names):
        command = found(_head(root / name), name)
        if command:
            named.setdefault(command, []).append(name)
    return {command: tuple(names) for command, names in named.items()}


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_own(f"{folder}/{name}", name))
        yield from (os.path.relpath(f"{folder}/{name}", root) for name in files)


def _is_own(path: str, name: str) -> bool:
    """Not a cache, nor a repository of its own."""
    hidden = name.startswith(".") and name != ".github"
    return not hidden and name not in SKIPPED and not Path(path, ".git").exists()


def _head(path: Path) -> str:
    """The first lines, whole ones; nothing of what is no plain file, or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        head = b""
        while more := os.read(descriptor, HEAD):
            head += more
            if head.count(b"\n") >= WITHIN or b"\0" in more or len(head) > LARGEST:
                break
        return head.decode("utf-8", "surrogateescape")
    finally:
        os.close(descriptor)
