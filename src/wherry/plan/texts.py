"""Names and values of variables, labels and arguments. Settings in, checked texts out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.model.plan import Pairs
from wherry.model.settings import Text
from wherry.plan.answer import refuse
from wherry.plan.tiers import Effective, Keys

VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
LABEL: Final = re.compile(r"[!-~]+")


def pairs(settings: Effective, keys: Keys, given: dict[str, Text] | None, form: re.Pattern[str] = VARIABLE) -> Pairs:
    """The entries of a table as texts, sorted by name. UsageError [bad-setting] for names not of `form`, and for NUL."""
    for name, value in (given or {}).items():
        if not form.fullmatch(name) or "\0" in str(value):
            refuse(settings, (*keys, name), f"{name[:60]!r} cannot be set: a name has no blanks, a value no NUL")
    return tuple(sorted((name, plain(value)) for name, value in (given or {}).items()))


def plain(value: Text) -> str:
    """A value as text: true and false as TOML writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def arguments(settings: Effective, keys: Keys, given: tuple[str, ...]) -> tuple[str, ...]:
    """Words of a command line. UsageError [bad-setting] for an empty first word or NUL."""
    for number, word in enumerate(given):
        if "\0" in word or (number == 0 and not word.strip()):
            refuse(settings, (*keys, number), f"{word[:60]!r} is no word of a command")
    return given
