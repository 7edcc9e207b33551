"""What one `wherry generate` has to make. A choice, or what files of the repository say that made them, in; wishes, and files
that nothing makes any more, out; reads the sources of programs that files name.
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.flows import rooms
from wherry.flows.request import BuildRequest
from wherry.generate.header import Command, words, writer
from wherry.generate.shell import package
from wherry.kit.files import disk_errors
from wherry.kit.text import dotted
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.finding import Finding

Before = tuple[tuple[str, tuple[str, ...]], ...]
Known = dict[Command, tuple[str, ...]]
ALL: Final = "./..."
_PROGRAM: Final = re.compile(r"^package main\b", re.MULTILINE)


class Wish(Value, frozen=True, kw_only=True):
    """One thing to make: of what, from what, and which files were made so before."""

    choice: Choice
    build: BuildRequest
    before: Before = ()
    """Files that say that they were made so, by their home."""
    brought: bool = False
    """Made with another: what somebody wrote by hand stays, and is no error."""
    others: tuple[tuple[Command, tuple[str, ...]], ...] = ()
    """Commands that make the same of some of the same programs, and their files."""
    again: bool = False
    """Nobody named it: its files are made as they were."""


class Wishes(Value, frozen=True, kw_only=True):
    """What there is to make, and files of programs that are there no more."""

    all: tuple[Wish, ...]
    orphans: tuple[str, ...] = ()


class Seen(Value, frozen=True, kw_only=True):
    """What is described, and where."""

    applications: tuple[Application, ...]
    root: str
    named: bool = False
    """Whether settings say what a bare build builds, wherever one stands."""


Look = Callable[[BuildRequest], Seen]


def asked(choice: Choice, build: BuildRequest, seen: Seen, known: Known) -> Wishes:
    """The one that was asked for, and what it brings."""
    choice = replace(choice, packages=_from_home(choice.packages, build, seen))
    brought = (Choice(what=what, packages=choice.packages) for what in writer(choice.what).brings)
    home = seen.applications[0].home
    others = tuple(row for row in known.items() if row[0].home == home and _meet(row[0].choice, choice))
    wishes = (
        Wish(choice=choice, build=build, before=_made_before(choice, known), others=others),
        *(Wish(choice=one, build=build, brought=True) for one in brought),
    )
    return Wishes(all=tuple(shared(one, seen, known) for one in wishes))


def shared(wish: Wish, seen: Seen, known: Known) -> Wish:
    """The same, of more programs where its file is that of all who build at the root: those that its first line names stay."""
    root, what = Path(seen.root), wish.choice.what
    if not writer(what).shared or seen.applications[0].home != ".":
        return wish
    before = {one.choice.packages for one in known if one.home == "." and one.choice.what == what}
    there = {tuple(word for word in packages if _is_there(root, word)) for packages in before if packages}
    every = ({()} & before) | (there - {()}) | {wish.choice.packages}
    if len(every) == 1:
        return wish
    words = {word for packages in every for word in packages}
    packages = (ALL,) if () in every or ALL in words else tuple(sorted(words))
    build = replace(wish.build, directory=seen.root, packages=packages)
    return replace(wish, choice=replace(wish.choice, packages=packages), build=build)


def again(build: BuildRequest, root: Path, known: Known) -> Wishes:
    """All that files of the repository name, of the programs that are still there. UsageError [nothing-generated]."""
    if not known:
        raise UsageError(
            "nothing-generated",
            "no file of this repository says that wherry made it",
            where=str(root),
            next=("wherry generate dockerfile", "wherry generate --help"),
        )
    made, orphans = list[Wish](), list[str]()
    for command, files in known.items():
        home, named = root / command.home, command.choice.packages
        there = tuple(one for one in named if _is_there(home, one))
        if named and not there:
            orphans += files
            continue
        choice = replace(command.choice, packages=there)
        request = replace(build, directory=str(home), packages=there)
        made.append(Wish(choice=choice, build=request, before=((command.home, files),), again=True))
    return Wishes(all=tuple(made), orphans=tuple(orphans))


def covers(wish: Wish, seen: Seen, look: Look) -> Callable[[Command], bool]:
    """Says of another command whether its programs are all among those of the wish, or there no more: then no file of it loses
    anything when the wish writes it anew."""

    def covered(other: Command) -> bool:
        if other.choice.what != wish.choice.what:
            return False
        theirs = _theirs(other, wish, seen, look)
        return other.home == seen.applications[0].home if theirs is None else theirs <= _programs(seen)

    return covered


def _theirs(other: Command, wish: Wish, seen: Seen, look: Look) -> set[str] | None:
    """The programs of another command that are still there. None: what it names can be planned no more, since there are several
    where there was one."""
    home, named = Path(seen.root, other.home), other.choice.packages
    there = tuple(one for one in named if _is_there(home, one))
    if not home.is_dir() or (named and not there):
        return set()
    try:
        return _programs(look(replace(wish.build, directory=str(home), packages=there)))
    except UsageError:
        return None


def _programs(seen: Seen) -> set[str]:
    return {
        posixpath.normpath(f"{one.sources.directory}/{program.package}")
        for one in seen.applications
        for program in one.programs
    }


def _is_there(home: Path, word: str) -> bool:
    """Whether a word for packages still names a program; of all but a plain folder the plan says it."""
    if "..." in word or word.split("/", 1)[0] not in (".", ".."):
        return True
    folder = home / word
    with disk_errors(folder):
        sources = sorted(folder.glob("*.go")) if folder.is_dir() else ()
        return any(_PROGRAM.search(one.read_text("utf-8", "replace")) for one in sources if one.is_file())


def _from_home(packages: tuple[str, ...], build: BuildRequest, seen: Seen) -> tuple[str, ...]:
    """The words of the first line, which count from the files' home, wherever the user stands."""
    here = rooms.standing(build)
    home = Path(os.path.normpath(f"{seen.root}/{seen.applications[0].home}"))
    if here == home or (not packages and seen.named):
        return packages
    if not packages:
        return tuple(package(seen.applications, one) for one in seen.applications)
    return tuple(_seen_from(home, here, one) for one in packages)


def _seen_from(home: Path, here: Path, word: str) -> str:
    if word.split("/", 1)[0] not in (".", ".."):
        return word
    return dotted(os.path.relpath(here / word, home))


def made_twice(wish: Wish, paths: tuple[str, ...], seen: Seen, look: Look) -> Iterator[Finding]:
    """A warning where another command made files of these programs under other names than the `paths` of this one. Needless are
    those of the command that names no program beyond the other's; where each has one of its own, none are."""
    for command, files in wish.others:
        theirs, ours = ([one for one in some if one not in rest] for some, rest in ((files, paths), (paths, files)))
        if not theirs or not ours:
            continue
        by, mine = _theirs(command, wish, seen, look), _programs(seen)
        if by is not None and by <= mine:
            yield _needless(theirs, seen, Command(choice=wish.choice, home=command.home))
        elif by is not None and mine <= by:
            yield _needless(ours, seen, command)


def _needless(files: list[str], seen: Seen, kept: Command) -> Finding:
    some = f"{files[0]} is" if len(files) == 1 else f"{files[0]} and {len(files) - 1} more are"
    return Finding(
        name="made-twice",
        message=f"{some} needless: `{words(kept)}` makes the same of the same program",
        next=shlex.join(("rm", *(os.path.relpath(f"{seen.root}/{one}") for one in files))),
    )


def _meet(one: Choice, other: Choice) -> bool:
    """Whether two choices are of one kind and name a program in common; no packages, and patterns, may mean any."""
    wide = any(not each.packages or "..." in "".join(each.packages) for each in (one, other))
    alike = replace(_plain(one), packages=()) == replace(_plain(other), packages=())
    return alike and one.packages != other.packages and (wide or bool(set(one.packages) & set(other.packages)))


def _made_before(choice: Choice, known: Known) -> Before:
    """Files of the same command, wherever it was given."""
    wanted = _plain(choice)
    return tuple((command.home, files) for command, files in known.items() if _plain(command.choice) == wanted)


def _plain(choice: Choice) -> Choice:
    """Without what changes from release to release, and switches: what one of them made goes with it."""
    return replace(choice, digest="", release="", extras=())
