"""The profile itself. What a container may do now and names in, a narrower profile out; touches nothing."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from wherry.formats.seccomp import ARCHITECTURES, Action, Rule, Seccomp
from wherry.kit.value import Value
from wherry.model.recording import Recording
from wherry.runtime.ceiling.read import Ceiling

Mode = Literal["safe", "strict"]


class Bounds(Value, frozen=True, kw_only=True):
    """The three sets that a profile lies between."""

    recorded: frozenset[str]
    floor: frozenset[str]
    ceiling: frozenset[str] | None
    """None: not known, so nothing bounds it from above but the profile that the container has."""
    allowed: frozenset[str]
    """By the profile that the container has."""

    def names(self, mode: Mode) -> frozenset[str]:
        """What the profile allows: `strict` what was seen, `safe` what the program can do; both with the floor."""
        if mode == "strict":
            return self.recorded | self.floor
        return self.recorded | self.floor | (self.allowed if self.ceiling is None else self.ceiling)

    @property
    def unexercised(self) -> frozenset[str]:
        """Linked, allowed now, and never seen."""
        return ((self.ceiling or frozenset()) & self.allowed) - self.recorded - self.floor

    @property
    def above(self) -> frozenset[str]:
        """Seen, though the binary cannot make it: another program's."""
        return frozenset() if self.ceiling is None else self.recorded - self.ceiling - self.floor


def bounds(base: Seccomp | None, recording: Recording, ceiling: Ceiling, floor: frozenset[str]) -> Bounds:
    """The sets, from what was seen and read. A binary that starts others has no ceiling of its own."""
    recorded = frozenset(name for name, _ in (*recording.calls, *recording.refused))
    programs = [one for one in recording.files if one.intent == "run" and one.state == "there"]
    known = ceiling.complete and len(programs) <= 1
    made = Bounds(
        recorded=recorded, floor=floor, ceiling=ceiling.names if known else None, allowed=allowed(base, ceiling)
    )
    return replace(made, ceiling=None) if made.above else made


def allowed(base: Seccomp | None, ceiling: Ceiling) -> frozenset[str]:
    """Names that `base` lets through, for some arguments at least."""
    if base is None:
        return ceiling.names
    return frozenset(name for rule in base.syscalls if rule.action == "SCMP_ACT_ALLOW" for name in rule.names)


def compose(base: Seccomp | None, names: frozenset[str], architecture: str, otherwise: Action) -> Seccomp:
    """`base` narrowed to `names`, conditions on arguments kept; `otherwise` for all else.

    What `base` refuses and `names` holds stays refused with an error, never by `otherwise`: the program may try it,
    and goes on without. None, everything allowed: just `names`.
    """
    if base is None:
        rules: tuple[Rule, ...] = (Rule(names=tuple(sorted(names)), action="SCMP_ACT_ALLOW"),)
    else:
        kept = ((rule, tuple(name for name in rule.names if name in names)) for rule in base.syscalls)
        rules = tuple(replace(rule, names=left) for rule, left in kept if left)
        rules += _rest(base, names)
    return Seccomp(
        default_action=otherwise,
        default_errno_ret=1 if otherwise == "SCMP_ACT_ERRNO" else None,
        architectures=base.architectures if base else ARCHITECTURES.get(architecture, ()),
        syscalls=rules,
    )


def _rest(base: Seccomp, names: frozenset[str]) -> tuple[Rule, ...]:
    """Names that `base` does not mention, and those it allows for some arguments only: else as it answers."""
    if base.default_action != "SCMP_ACT_ERRNO":
        return ()
    mentioned = frozenset(name for rule in base.syscalls for name in rule.names)
    left = tuple(sorted(names - mentioned))
    answer = base.default_errno_ret
    return (Rule(names=left, action="SCMP_ACT_ERRNO", errno_ret=answer),) if left else ()
