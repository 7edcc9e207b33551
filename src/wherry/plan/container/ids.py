"""Who the container's ids are on this machine. Options and facts in, a user namespace and why out; touches nothing.

Root maps 65,536 ids that nobody has. An ordinary user can map the own id, and those of /etc/subuid where newuidmap is there
(docs/decisions/0006-rootless.md).
"""

from __future__ import annotations

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.container import IdRange, Options, Rootless, User
from wherry.model.plan import Decision
from wherry.plan.container.facts import Facts
from wherry.plan.container.mounts import SECRETS, Mounted


class Ids(Value, frozen=True, kw_only=True):
    """The user namespace, and who the program is in it."""

    user: User
    base: int = 0
    uids: tuple[IdRange, ...] = ()
    gids: tuple[IdRange, ...] = ()
    decision: Decision


def decide(options: Options, facts: Facts, mounted: Mounted) -> Ids:
    """UsageError [container-option] when an ordinary user wants none."""
    if facts.rootless is not None:
        return _rootless(options, facts, facts.rootless, mounted)
    base, why = _base(options, facts, writable=mounted.writable)
    value = f"from {base}" if base else "this machine's"
    return Ids(user=facts.user, base=base, decision=Decision(name="userns", value=value, reason=why))


def nearest(ranges: tuple[IdRange, ...], number: int, other: int) -> int:
    """`number` where the namespace has it, else `other`."""
    return number if any(one.inside <= number < one.inside + one.size for one in ranges) else other


def _base(options: Options, facts: Facts, *, writable: bool) -> tuple[int, str]:
    if "userns" in options.relax:
        return 0, "--relax userns"
    if options.network == "host":
        return 0, "with this machine's network, /sys cannot be mounted in a user namespace"
    if writable:
        return 0, "a volume may be written to, and its files' owners are this machine's"
    if not facts.id_base:
        return 0, facts.no_user_namespace or "not possible here"
    copied = f"; the root is a copy of its own: {facts.closed} is closed to others" if facts.closed else ""
    return facts.id_base, f"its ids are nobody's on this machine{copied}"


def _rootless(options: Options, facts: Facts, may: Rootless, mounted: Mounted) -> Ids:
    if "userns" in options.relax:
        raise UsageError(
            "container-option",
            "only root can start a container without a user namespace",
            where="--relax userns",
            next="the same without it, or as root",
        )
    user, own = facts.user, _own(options, facts, mounted)
    if not own and _holds(may.uids, user.uid) and all(_holds(may.gids, one) for one in (user.gid, *user.groups)):
        first = IdRange(inside=0, outside=may.uid), IdRange(inside=0, outside=may.gid)
        value = f"from {may.uids[0].outside}"
        decision = Decision(name="userns", value=value, reason="its ids are your subordinate ones, nobody's otherwise")
        return Ids(user=user, uids=(first[0], *may.uids), gids=(first[1], *may.gids), decision=decision)
    why = own or (
        "you have no subordinate ids" if not may.uids else f"{user.uid}:{user.gid} is beyond your subordinate ids"
    )
    inside = User(uid=user.uid, gid=user.gid) if may.any_id else User(uid=0, gid=0)
    words = f"outside it is you, without any right: {why}"
    return Ids(
        user=inside,
        uids=(IdRange(inside=inside.uid, outside=may.uid),),
        gids=(IdRange(inside=inside.gid, outside=may.gid),),
        decision=Decision(name="userns", value=f"{inside.uid} is {may.uid}", reason=words),
    )


def _own(options: Options, facts: Facts, mounted: Mounted) -> str:
    """Why it must be the user's own id outside; empty when it need not be."""
    if mounted.writable:
        return "a volume may be written to, and its files' owner is you"
    if "rootfs" in options.relax:
        return "the root may be written to"
    if any(bind.path.startswith(f"{SECRETS}/") for bind in mounted.binds):
        return "only you may read its secrets"
    if facts.closed:
        return f"{facts.closed} is closed to others, and its owner is you"
    return ""


def _holds(ranges: tuple[IdRange, ...], number: int) -> bool:
    return bool(ranges) and (not number or nearest(ranges, number, -1) == number)
