"""The lock beside a plan: what this machine has of what is locked. A plan and wherry.lock in, the plan with warnings out; reads
the lock, and asks installed packages for their versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from wherry.assemble.static import versions as of_static
from wherry.kit import compress
from wherry.model.lock import Lock
from wherry.model.plan import Pairs, Plan
from wherry.plan import drift, lockfile


def lock_in(root: str, *, needed: bool = False) -> Lock | None:
    """The repository's lock; None when there is none. UsageError [no-lock] when it is needed."""
    lock = lockfile.load(Path(root))
    if lock is None and needed:
        raise drift.missing()
    return lock


def compared(plan: Plan, lock: Lock | None, *, strict: bool) -> Plan:
    """The plan, with a warning for what is not as locked; RefusedError [lock-drift] when `strict`."""
    if lock is None:
        return plan
    moved = drift.moved(plan, lock, installed(plan, drift.parts_of(plan)))
    findings = drift.check(moved, strict=strict)
    return msgspec.structs.replace(plan, findings=(*plan.findings, *findings)) if findings else plan


def installed(plan: Plan, names: tuple[str, ...] = lockfile.PARTS) -> Pairs:
    """The versions here of what decides an image's bytes beside its sources."""
    known: dict[str, Callable[[], str]] = {
        "go": lambda: plan.toolchain.version,
        "certifi": lambda: of_static()[0],
        "tzdata": lambda: of_static()[1],
        "deflate": lambda: compress.version("gzip"),
        "zstandard": lambda: compress.version("zstd"),
    }
    return tuple((name, known[name]()) for name in names)
