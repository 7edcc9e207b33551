"""The profile under which a container is recorded. The profile that it would have in, one that tells of its calls out; touches
nothing."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wherry.formats import syscalls
from wherry.formats.seccomp import ARCHITECTURES, Rule, Seccomp
from wherry.runtime.record.calls import SHOWN

NEVER: Final = frozenset(("write",))
"""What a runtime itself needs to hand the listener over; runc refuses a profile that tells of it."""


def recording_filter(base: Seccomp | None, architecture: str, silent: frozenset[str], listener: str) -> Seccomp:
    """`base` (None: everything is allowed), but that each call it allows is told of at the socket `listener`, unless it is in
    `silent`; and each that it refuses with an error, since trying is worth knowing. What it does not name stays as it was."""
    if base is None:
        known = tuple(sorted(syscalls.names(architecture).values()))
        base = Seccomp(
            default_action="SCMP_ACT_ERRNO",
            default_errno_ret=38,
            architectures=ARCHITECTURES.get(architecture, ()),
            syscalls=(Rule(names=known, action="SCMP_ACT_ALLOW"),),
        )
    quiet = (silent - SHOWN) | NEVER
    rules = [told for rule in base.syscalls for told in _told(rule, quiet)]
    return replace(base, syscalls=tuple(rules), listener_path=listener)


def refused(base: Seccomp | None) -> dict[str, int]:
    """Calls that `base` answers with an error whatever their arguments, with the errno."""
    rules = base.syscalls if base else ()
    return {
        name: 1 if rule.errno_ret is None else rule.errno_ret
        for rule in rules
        if rule.action == "SCMP_ACT_ERRNO" and not rule.args
        for name in rule.names
    }


def _told(rule: Rule, quiet: frozenset[str]) -> tuple[Rule, ...]:
    if rule.action == "SCMP_ACT_ERRNO" and not rule.args:
        return (replace(rule, action="SCMP_ACT_NOTIFY", errno_ret=None),)
    if rule.action not in ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG"):
        return (rule,)
    silent = tuple(name for name in rule.names if name in quiet)
    told = tuple(name for name in rule.names if name not in quiet)
    made = ((silent, "SCMP_ACT_ALLOW"), (told, "SCMP_ACT_NOTIFY"))
    return tuple(
        replace(rule, names=names, action="SCMP_ACT_ALLOW" if action == "SCMP_ACT_ALLOW" else "SCMP_ACT_NOTIFY")
        for names, action in made
        if names
    )
