"""What moved since the lock was written. A plan, a lock and the versions here in, differences out; touches nothing."""

from __future__ import annotations

import shlex

from wherry.errors import RefusedError, UsageError
from wherry.model.finding import Finding
from wherry.model.lock import NAME, Lock, Moved
from wherry.model.plan import ImagePlan, Pairs, Plan

BUILT_IN = ("static", "scratch")
_PACKERS = {"gzip": ("deflate",), "zstd": ("zstandard",)}


def parts_of(plan: Plan) -> tuple[str, ...]:
    """The parts that decide this plan's bytes: Go always, certificates and zones where the base is ours, the compressors used."""
    static = ("certifi", "tzdata") if any(image.base.name == "static" for image in plan.images) else ()
    packers = (name for image in plan.images for name in _PACKERS.get(image.packing.compression, ()))
    return tuple(sorted({"go", *static, *packers}))


def moved(plan: Plan, lock: Lock, installed: Pairs) -> tuple[Moved, ...]:
    """Each difference, parts first. `installed` are the versions here of `parts_of`."""
    locked, here = dict(lock.parts), dict(installed)
    parts = (Moved(what=name, locked=locked.get(name, ""), now=here.get(name, "")) for name in parts_of(plan))
    bases = (_base(image) for image in plan.images if image.base.name not in BUILT_IN and not image.base.digest)
    return (*(one for one in parts if one.locked != one.now), *dict.fromkeys(bases))


def check(moved: tuple[Moved, ...], *, strict: bool) -> tuple[Finding, ...]:
    """Warnings, one for each kind; RefusedError [lock-drift] with every line when `strict`."""
    if not moved:
        return ()
    if strict:
        raise RefusedError(
            "lock-drift",
            f"{len(moved)} thing{'s are' if len(moved) > 1 else ' is'} not as {NAME} says",
            where=tuple(map(str, moved)),
            why="--locked builds only from what is locked",
            next=(*_as_locked(moved), "wherry base lock"),
        )
    bases = tuple(one for one in moved if one.base)
    parts = tuple(one for one in moved if not one.base)
    findings = []
    if parts:
        said = ", ".join(f"{one.what} {one.now} instead of {one.locked or 'none'}" for one in parts)
        findings.append(
            Finding(name="lock-parts", message=f"{NAME} names other versions: {said}", next="wherry base lock")
        )
    if bases:
        said = ", ".join(one.what for one in bases)
        findings.append(Finding(name="lock-misses", message=f"{NAME} does not name {said}", next="wherry base lock"))
    return tuple(findings)


def _as_locked(moved: tuple[Moved, ...]) -> tuple[str, ...]:
    """What builds from the lock as it is, where Go alone moved: every release of it can be had."""
    first = moved[0]
    if len(moved) > 1 or first.what != "go" or not first.locked.startswith("go1"):
        return ()
    return (f"wherry build --locked --toolchain {shlex.quote(first.locked)}",)


def missing() -> UsageError:
    """The error for what needs a lock where there is none."""
    return UsageError("no-lock", f"there is no {NAME} here", where=NAME, next="wherry base lock")


def _base(image: ImagePlan) -> Moved:
    return Moved(what=image.base.lock or image.base.name, base=True)
