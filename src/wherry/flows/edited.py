"""Words of a user that writing would lose for good: outside of a kept part, in a file that git has otherwise. Changes in, an
error or nothing out; asks git, reads and writes the cache's records.

A generated file that is as wherry wrote it, or as git has it, can be written over: nothing in it is anybody's only copy. What
wherry wrote is remembered by its hash, since between two commits git knows less than that.
"""

from __future__ import annotations

import contextlib
import hashlib

from wherry.analyze.layout import Layout
from wherry.analyze.vcs import Git, unsaved
from wherry.cache.folders import prepare
from wherry.cache.records import Records, key
from wherry.errors import RefusedError, UnavailableError
from wherry.flows.folders import folders_of
from wherry.flows.written import Change
from wherry.generate.kept import split_of
from wherry.kit.ports import Machine


def edited(changes: tuple[Change, ...], layout: Layout, machine: Machine) -> tuple[str, ...]:
    """Files whose changes would be gone with what somebody wrote in them, sorted as git says them."""
    records = Records(folders_of(machine))
    own = tuple(one for one in changes if one.state == "changed" and _rest(one.before, one) != _rest(one.text, one))
    unknown = tuple(one.path for one in own if records.get(_key(one.before, one)) is None)
    return unsaved(layout, unknown, Git(layout.git, machine.which("git"), machine.environment, machine.run))


def refuse_edited(changes: tuple[Change, ...], layout: Layout, machine: Machine, said: str) -> None:
    """RefusedError [edited-file] where somebody's words would be gone. `said`: the command, for what to do next."""
    lost = edited(changes, layout, machine)
    if lost:
        raise RefusedError(
            "edited-file",
            f"{lost[0]} was edited by hand, and git has no such text; it stays as it is"
            if len(lost) == 1
            else f"{len(lost)} files were edited by hand, and git has no such text; they stay as they are",
            where=lost,
            next=ways_on(said),
        )


def ways_on(said: str) -> tuple[str, ...]:
    """What to do about an edited file. `said`: the command that would write it."""
    return f"{said} --diff", "git commit it, or mark what is yours: # wherry:keep", f"{said} --overwrite"


def remember(changes: tuple[Change, ...], machine: Machine) -> None:
    """That these texts are wherry's. A cache that cannot be written to is no error: then git is asked."""
    with contextlib.suppress(UnavailableError):
        records = Records(prepare(folders_of(machine)))
        for one in changes:
            if one.state != "gone":
                records.put(_key(one.text, one), b"{}")


def _rest(text: str, change: Change) -> str:
    """What is not marked as the user's; the lines that a mark replaces are there."""
    return "\n".join(split_of(text, change.path).generated)


def _key(text: str, change: Change) -> str:
    rest = _rest(text, change).encode("utf-8", "surrogateescape")
    return key("generated", hashlib.sha256(rest).hexdigest())
