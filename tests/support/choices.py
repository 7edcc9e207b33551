"""Everything that can be asked of `wherry generate`. The table in, choices out; touches nothing."""

from __future__ import annotations

from wherry.generate.header import Command, words
from wherry.generate.table import WRITERS, Writer
from wherry.model.file import Choice

REFUSED = {("compose", "dev", "public"), ("ci", "gitlab", "docker")}
"""Switches that a variant has no use for."""


def choices(row: Writer) -> tuple[Choice, ...]:
    """Each variant without switches, with each of them, and with all that go together."""
    made: list[Choice] = []
    for variant in row.variants or ("",):
        known = sorted(name for name, _ in row.extras if (row.what, variant, name) not in REFUSED)
        extras = dict.fromkeys(((), *((one,) for one in known), tuple(known)))
        made += (Choice(what=row.what, variant=variant, extras=one) for one in extras)
    return tuple(made)


CHOICES = tuple((row, choice) for row in WRITERS for choice in choices(row))


def said(one: object) -> str | None:
    """A choice as a test's name: as one types it."""
    return words(Command(choice=one)).removeprefix("wherry generate ") if isinstance(one, Choice) else ""
