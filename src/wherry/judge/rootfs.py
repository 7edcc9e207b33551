"""Can anybody write into the root, and does the application try to."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.judge.answer import failed, nothing, passed, unknown
from wherry.model.observation import Expectations, Observed
from wherry.model.plan import declarable, may_be_writable
from wherry.model.trials import Exercise, Refused, Writes
from wherry.model.verdict import Verdict

NAME = "rootfs"
MOST = 5
ELSEWHERE = "write below /tmp, or in a folder of its own that [image] writable declares"
DEVICES = "/dev"
"""64 KiB of the runtime's own memory with its devices, which only root may write to; what is mounted below is another thing."""


def rootfs(observed: Observed, _: Expectations) -> Verdict:
    """PASS: the root is mounted read-only, a test program could write nowhere but to declared places, and to each of these;
    and nothing that the application wanted to write was refused."""
    match observed.writes:
        case Writes() as seen:
            return _judged(seen, observed)
        case why:
            return nothing(NAME, why)


def _judged(seen: Writes, observed: Observed) -> Verdict:
    root = next((one for one in reversed(seen.mounts) if one.path == "/"), None)
    refusals = ", ".join(f"{number} x {words}" for words, number in seen.refused)
    if root is not None and "ro" not in root.options:
        return failed(
            NAME,
            "the root may be written to",
            f"/ is mounted {','.join(root.options)}",
            next="leave --relax rootfs out",
        )
    open_to_it = _open(seen, observed)
    if open_to_it:
        what, paths = open_to_it[0]
        return failed(
            NAME,
            f"{what} {_listed(paths)}, which nobody declared",
            refusals,
            next=_steps(tuple(filter(may_be_writable, paths))),
        )
    others = {one.path for one in observed.container.tmpfs if one.uid not in (0, observed.container.user.uid)}
    unwilling = tuple(path for path in seen.unwilling if path not in others)
    if unwilling:
        return failed(NAME, f"its user cannot write to {_listed(unwilling)}, which is declared")
    lost = _lost(observed)
    if lost is not None:
        return lost
    if root is None or seen.cut:
        return unknown(
            NAME, "the root is not among its mounts" if root is None else f"only {seen.tried} writes were tried"
        )
    places = f" but to {_listed(seen.writable)}" if seen.writable else ""
    return passed(
        NAME, f"read-only; {sum(number for _, number in seen.refused)} writes tried, all refused{places}", refusals
    )


def _open(seen: Writes, observed: Observed) -> list[tuple[str, tuple[str, ...]]]:
    """What can be done, and to what."""
    rows = (
        ("files can be made in", seen.made),
        ("may be written to:", seen.opened),
        ("changes its mode:", seen.changed),
    )
    own = DEVICES if observed.container.user.uid == 0 else ""
    left = [(what, tuple(path for path in paths if path != own)) for what, paths in rows]
    return [row for row in left if row[1]]


def _lost(observed: Observed) -> Verdict | None:
    """The application loses what it wants to keep. What the kernel told of was seen; a line of its log is its own word."""
    match observed.refused:
        case Refused(paths=()):
            return None
        case Refused(paths=paths):
            return failed(
                NAME, f"it wants to write {_listed(paths)}, and may not", *paths, next=_steps(declarable(paths))
            )
        case _:
            lines = observed.exercise.refusals if isinstance(observed.exercise, Exercise) else ()
    if not lines:
        return None
    step = "[image] writable declares folders"
    verdict = failed(NAME, "its log tells of writes that were refused", *lines[:MOST], next=step)
    return replace(verdict, concluded=("it loses what it wanted to write",))


def _steps(folders: tuple[str, ...]) -> tuple[str, ...]:
    """What makes these writable; of the programs' and the runtime's folders nothing does."""
    listed = ", ".join(f'"{one}"' for one in folders)
    return (
        (f"[image] writable = [{listed}] declares {'it' if len(folders) == 1 else 'them'}",)
        if folders
        else (ELSEWHERE,)
    )


def _listed(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
    return ", ".join(paths[:MOST]) + more
