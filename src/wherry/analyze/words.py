"""What the user typed for packages. Words in, closed choices out; looks which folders exist.

A word is never handed to a program before it has been through here (A12): no leading dash, no control character, no
other scheme.
"""

from __future__ import annotations

import os
import shlex

from wherry.analyze.layout import Layout
from wherry.analyze.reading import relative
from wherry.errors import UsageError
from wherry.kit.value import Value

META = frozenset(("all", "std", "cmd", "tool", "work", "main"))


class Local(Value, frozen=True, kw_only=True):
    """A folder of the project (absolute), or with `recursive` all below it."""

    folder: str
    recursive: bool
    word: str


class Foreign(Value, frozen=True, kw_only=True):
    """The import path of a package in a dependency."""

    import_path: str


class Named(Value, frozen=True, kw_only=True):
    """The name of a main; the plan finds which."""

    name: str


class Remote(Value, frozen=True, kw_only=True):
    """A package of a module by version, as `go install` takes it. `recursive` for `path/...@version`."""

    path: str
    version: str
    recursive: bool = False

    @property
    def word(self) -> str:
        return f"{self.path}@{self.version}"


Word = Local | Foreign | Named | Remote


def read_words(words: tuple[str, ...], layout: Layout) -> tuple[Word, ...]:
    """Each word understood. UsageError [bad-package], [not-a-package], [no-such-package], [no-go-mod],
    [mixed-packages].
    """
    read = tuple(_read(word, layout) for word in words)
    remotes = {one.version for one in read if isinstance(one, Remote)}
    if remotes and (len(remotes) > 1 or not all(isinstance(one, Remote) for one in read)):
        raise UsageError(
            "mixed-packages",
            "packages named by version must all come from one module at one version",
            where=words,
            next=f"wherry build {shlex.quote(next(one.word for one in read if isinstance(one, Remote)))}",
        )
    return read


def _read(word: str, layout: Layout) -> Word:
    if not word or word.startswith("-") or not word.isprintable() or "\\" in word or "://" in word:
        raise _bad(word, "a package is a folder, an import path, or module/path@version")
    if word.endswith(".go"):
        raise UsageError(
            "not-a-package",
            f"{word} is a file, and wherry builds packages",
            where=word,
            next=f"wherry build {shlex.quote(_as_folder(os.path.dirname(word)))}",
        )
    if word.startswith("/") or word.partition("/")[0] in (".", ".."):
        return _local(word, layout)
    if "@" in word:
        return _remote(word)
    stem, recursive = _pattern(word)
    owner = _owner(stem, layout)
    if owner is not None:
        return Local(folder=owner, recursive=recursive, word=word)
    if "/" not in word:
        if word in META:
            raise _bad(word, "names that stand for many packages are not taken; ./... means all of this module")
        return Named(name=word)
    if recursive:
        raise _bad(word, "patterns reach only into modules of this project")
    return Foreign(import_path=word)


def _local(word: str, layout: Layout) -> Local:
    stem, recursive = _pattern(word)
    folder = os.path.normpath(os.path.join(layout.working_directory, stem))
    if os.path.isabs(relative(folder, layout.root)):
        raise UsageError(
            "outside-project",
            f"{word} lies outside of the project",
            where=f"the project is {layout.root}",
            next=f"wherry build -C {shlex.quote(word.removesuffix('/...'))}",
        )
    if not os.path.exists(folder):
        before, at, _ = stem.rpartition("@")
        if at and os.path.isdir(os.path.join(layout.working_directory, before)):
            raise _bad(
                word,
                "a folder is as it lies there; versions stand behind module paths",
                f"wherry build {shlex.quote(before)}",
            )
        raise _missing(word, folder, layout)
    if not os.path.isdir(folder):
        raise UsageError(
            "not-a-package", f"{word} is a file, and wherry builds packages", where=word, next="name its folder"
        )
    return Local(folder=folder, recursive=recursive, word=word)


def _owner(path: str, layout: Layout) -> str | None:
    """The folder of import path `path` in one of the project's modules; the longest module path wins."""
    fitting = [one for one in layout.modules if path == one.path or path.startswith(f"{one.path}/")]
    if not fitting:
        return None
    module = max(fitting, key=lambda one: len(one.path))
    folder = os.path.normpath(os.path.join(layout.root, module.directory, "." + path[len(module.path) :]))
    if not os.path.isdir(folder):
        raise _missing(path, folder, layout)
    return folder


def _remote(word: str) -> Remote:
    path, _, version = word.partition("@")
    stem, recursive = _pattern(path)
    first = stem.partition("/")[0]
    clean = stem and os.path.normpath(stem) == stem and "." in first and not first.startswith(".")
    plain = all(character.isalnum() or character in "._~!+-/" for character in stem + version)
    if not clean or not plain or not stem.isascii() or not version or version.startswith(("-", "/", ".")):
        raise _bad(word, "write it like example.com/module/cmd/app@v1.2.3, or @latest")
    return Remote(path=stem, version=version, recursive=recursive)


def _pattern(word: str) -> tuple[str, bool]:
    """`./cmd/...` as `./cmd` and True."""
    if word == "...":
        return ".", True
    stem = word.removesuffix("/...")
    if "..." in stem:
        raise _bad(word, "`...` may only stand at the end")
    return stem or "/", stem != word


def _as_folder(path: str) -> str:
    return path if path.startswith(("/", "./", "../")) else f"./{path}" if path else "."


def _bad(word: str, why: str, step: str = "wherry build ./cmd/api") -> UsageError:
    return UsageError(
        "bad-package",
        f"{word[:100]!r} cannot name packages",
        where="command line",
        why=why,
        next=step,
    )


def _missing(word: str, folder: str, layout: Layout) -> UsageError:
    """With the nearest folder that exists."""
    parent = folder
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    near = _nearest(os.path.basename(folder), parent)
    place = relative(os.path.join(parent, near) if near else parent, layout.working_directory)
    return UsageError(
        "no-such-package",
        f"{word} does not exist",
        where=folder,
        next=f"did you mean {_as_folder(place)}?" if near else f"ls {place}",
    )


def _nearest(name: str, parent: str) -> str:
    from wherry.kit.text import closest

    try:
        folders = tuple(entry.name for entry in os.scandir(parent) if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return ""
    return closest(name, folders)
