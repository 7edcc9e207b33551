"""Directories that the program's user may write to. Settings in, empty directories out; touches nothing."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from wherry.model.plan import Decision, WritableDirectory, may_be_writable
from wherry.model.settings import WritableSettings
from wherry.plan import paths
from wherry.plan.answer import Answer, Facts, each, refuse
from wherry.plan.tiers import Effective, Keys

DEFAULT: Final = 0o755
_KEYS: Final[Keys] = ("image", "writable")


def decide(facts: Facts, volumes: tuple[str, ...]) -> Answer[tuple[WritableDirectory, ...]]:
    """The settings' directories, and each volume: an engine gives a new volume the owner that the image's directory has.
    UsageError [bad-setting]."""
    given = facts.settings.image.writable or ()
    found = {one.path: one for one in each(partial(_directory, facts), given)}
    for volume in volumes:
        found.setdefault(volume, WritableDirectory(path=volume, mode=DEFAULT))
    value = tuple(found[path] for path in sorted(found))
    if not value:
        return Answer(value=())
    source = facts.settings.source(*_KEYS)
    reason = "as you set it" if given else "volumes take their owner from the image"
    decision = Decision(
        name="writable", value=", ".join(found), reason=reason, origin=source.origin, place=source.place
    )
    return Answer(value=value, decisions=(decision,))


def _directory(facts: Facts, number: int, entry: str | WritableSettings) -> WritableDirectory:
    keys: Keys = (*_KEYS, number)
    table = WritableSettings(path=entry) if isinstance(entry, str) else entry
    path = paths.in_image(facts.settings, keys, table.path)
    if not may_be_writable(path):
        refuse(facts.settings, keys, f"{path} must not be writable", next="a directory like /var/lib/app")
    bits = DEFAULT if table.mode is None else mode(facts.settings, (*keys, "mode"), table.mode)
    if bits & 0o700 != 0o700:
        refuse(
            facts.settings,
            (*keys, "mode"),
            f"with mode {table.mode} the program could not write there",
            next='mode = "0700" or wider',
        )
    return WritableDirectory(path=path, mode=bits)


def mode(settings: Effective, keys: Keys, text: str) -> int:
    """Permission bits of `0750`; no setuid, setgid or sticky, except 1777 for a directory like /tmp. UsageError [bad-setting]."""
    if text in ("1777", "01777"):
        return 0o1777
    if not re.fullmatch(r"0?[0-7]{3}", text, re.ASCII):
        refuse(settings, keys, f"{text[:20]!r} are no permission bits", next='three octal digits: mode = "0750"')
    return int(text, 8)
