"""What goes on from generated files: the commands that use them. Values; touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wherry.generate.names import Applications
from wherry.generate.shell import quoted
from wherry.kit.value import Value
from wherry.model.file import Choice

MOST: Final = 3
"""Programs that get a line each."""
Here = Callable[[str], str]
"""A path relative to the repository's root, as whoever is told the command sees it from where they stand."""


class Use(Value, frozen=True, kw_only=True):
    """One command of a shell."""

    command: str
    file: str = ""
    """What it takes beside the files it is told of, relative to the root; empty: nothing."""
    maker: Choice | None = None
    """What makes that."""


Uses = Callable[[Applications, Choice, Here], tuple[Use, ...]]
"""The applications and the choice of a writer's files in; commands in their order out."""


def within(folder: str) -> str:
    """How make and go are told to work in `folder`; empty where one stands in it."""
    return "" if folder == "." else f"-C {quoted(folder)} "


def nobody(*_: object) -> tuple[Use, ...]:
    """Of files that no command is told of."""
    return ()
