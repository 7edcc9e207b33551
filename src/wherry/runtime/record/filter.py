"""The profile under which a container is recorded. The profile that it would have in, one that tells of its calls out; touches
nothing."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wherry.formats import syscalls
from wherry.formats.seccomp import ARCHITECTURES, Action, Rule, Seccomp
from wherry.runtime.record.calls import SHOWN

NEVER: Final = frozenset(("write",))
"""What a runtime itself needs to hand the listener over; runc refuses a profile that tells of it."""


def recording_filter(base: Seccomp | None, architecture: str, silent: frozenset[str], listener: str) -> Seccomp:
    """`base` (None: everything is allowed), but that each call it allows is told of at the socket `listener`, unless it is in
    `silent`; and each that it refuses with an error, since trying is worth knowing. What it does not name stays as it was."""
    base = base or _everything(architecture)
    quiet = (silent - SHOWN) | NEVER
    rules = [told for rule in base.syscalls for told in _told(rule, quiet, "SCMP_ACT_NOTIFY")]
    return replace(base, syscalls=tuple(rules), listener_path=listener)


def logging_filter(base: Seccomp | None, architecture: str, silent: frozenset[str]) -> Seccomp:
    """`base` (None: everything is allowed), but that the kernel's audit reports each call it allows, unless it is in `silent`."""
    base = base or _everything(architecture)
    rules = [told for rule in base.syscalls for told in _told(rule, silent, "SCMP_ACT_LOG")]
    return replace(base, syscalls=tuple(rules))


def refused(base: Seccomp | None) -> dict[str, int]:
    """Calls that `base` answers with an error whatever their arguments, with the errno."""
    rules = base.syscalls if base else ()
    return {
        name: 1 if rule.errno_ret is None else rule.errno_ret
        for rule in rules
        if rule.action == "SCMP_ACT_ERRNO" and not rule.args
        for name in rule.names
    }


def _everything(architecture: str) -> Seccomp:
    return Seccomp(
        default_action="SCMP_ACT_ERRNO",
        default_errno_ret=38,
        architectures=ARCHITECTURES.get(architecture, ()),
        syscalls=(Rule(names=tuple(sorted(syscalls.names(architecture).values())), action="SCMP_ACT_ALLOW"),),
    )


def _told(rule: Rule, quiet: frozenset[str], action: Action) -> tuple[Rule, ...]:
    """The rule in two: what stays as it is, and what is told of."""
    if rule.action == "SCMP_ACT_ERRNO" and not rule.args and action == "SCMP_ACT_NOTIFY":
        return (replace(rule, action=action, errno_ret=None),)
    if rule.action not in ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG"):
        return (rule,)
    kept = tuple(name for name in rule.names if name in quiet)
    told = tuple(name for name in rule.names if name not in quiet)
    made = (replace(rule, names=kept, action="SCMP_ACT_ALLOW"), replace(rule, names=told, action=action))
    return tuple(one for one in made if one.names)
