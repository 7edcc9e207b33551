"""What goes on from generated files: what they need beside them, and the command that uses them. A choice and what is there in,
commands out; looks which files are there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from wherry.flows.wishes import Seen, Wish
from wherry.generate import names
from wherry.generate.header import Command, words, writer
from wherry.generate.use import Use
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice


class Step(Value, frozen=True, kw_only=True):
    """One command, for who stands in this process's folder."""

    command: str
    makes: tuple[str, ...] = ()
    """Files, relative to the root; it is needless when the same run makes them."""


def onward(wish: Wish, seen: Seen, choice: Choice) -> tuple[Step, ...]:
    """In their order: what makes a Dockerfile that the files of `choice` name and that is not there; then, where somebody asked
    for the files, what uses them."""
    if wish.brought:
        return ()
    used = () if wish.again else writer(choice.what).uses(seen.applications, choice, partial(_here, seen))
    return (*_dockerfiles(seen, choice), *(Step(command=_command(seen, one)) for one in used))


def named(seen: Seen, choice: Choice) -> Iterator[tuple[str, tuple[tuple[Application, str], ...]]]:
    """The Dockerfiles that the files of `choice` name: each variant, and of each application the path, relative to the root."""
    said, every = (choice.variant, *choice.extras), seen.applications
    for variant in (kind for word, kind in writer(choice.what).dockerfiles if word in said):
        yield variant, tuple((one, names.from_root(every, names.dockerfile(every, one, variant))) for one in every)


def _dockerfiles(seen: Seen, choice: Choice) -> Iterator[Step]:
    for variant, each in named(seen, choice):
        missing = tuple(path for _, path in each if not Path(seen.root, path).is_file())
        if missing:
            wanted = Choice(what="dockerfile", variant=variant, packages=choice.packages)
            yield Step(command=_making(seen, wanted), makes=missing)


def _command(seen: Seen, use: Use) -> str:
    """The command itself, or what makes the file that it needs first."""
    if use.maker and not Path(seen.root, use.file).is_file():
        return _making(seen, use.maker)
    return use.command


def _making(seen: Seen, choice: Choice) -> str:
    return words(Command(choice=choice, home=_here(seen, names.home(seen.applications))))


def _here(seen: Seen, path: str) -> str:
    """A path relative to the root, as seen from this process's folder."""
    return os.path.relpath(f"{seen.root}/{path}")
