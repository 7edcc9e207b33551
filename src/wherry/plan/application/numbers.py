"""Numbers and times of [generate] and [run], checked. Settings in, values out; touches nothing."""

from __future__ import annotations

from wherry.errors import UsageError
from wherry.plan import durations
from wherry.plan.answer import Answer, refuse
from wherry.plan.application.facts import Facts
from wherry.plan.container import limits
from wherry.plan.tiers import Keys

MOST_REPLICAS = 1000
REPLICAS = 2
MOST_USUAL = 10


def replicas(facts: Facts) -> Answer[int]:
    """How many run. UsageError [bad-setting]."""
    return Answer(value=_whole(facts, "replicas", facts.settings.generate.replicas, _usual(facts)))


def most_replicas(facts: Facts) -> Answer[int]:
    """How many run at most; not below `replicas`, and of what takes no requests no more: load does not say how many it wants."""
    said = facts.settings.generate
    least = said.replicas or _usual(facts)
    value = _whole(facts, "max-replicas", said.max_replicas, max(MOST_USUAL, least) if facts.image.ports else least)
    if value < least:
        refuse(facts.settings, ("generate", "max-replicas"), f"{value} is below generate.replicas, {least}")
    return Answer(value=value)


def _usual(facts: Facts) -> int:
    """Two, so that one may fail, where requests are shared among them; two of what finds its own work may both do the same."""
    return REPLICAS if facts.image.ports else 1


def _whole(facts: Facts, key: str, said: int | None, usual: int) -> int:
    value = usual if said is None else said
    if not 1 <= value <= MOST_REPLICAS:
        refuse(facts.settings, ("generate", key), f"{value} is no number of copies", next=f"1 to {MOST_REPLICAS}")
    return value


def memory(facts: Facts, keys: Keys, said: str | None, usual: int) -> int:
    """Bytes, in powers of two. UsageError [bad-setting]."""
    if said is None:
        return usual
    try:
        size = limits.size_of(said, "")
    except UsageError as error:
        refuse(facts.settings, keys, error.message, next=next(iter(error.next), ""))
    if size < limits.LEAST_MEMORY:
        refuse(facts.settings, keys, f"{limits.shown(size)} is too little to start a program in", next="64m and more")
    return size


def cpus(facts: Facts, keys: Keys, said: float | None, usual: float) -> float:
    """Processors' worth of time. UsageError [bad-setting]."""
    value = usual if said is None else float(said)
    if not 0.01 <= value <= 1024:
        refuse(facts.settings, keys, f"{said} is no number of processors", next="0.01 to 1024")
    return value


def seconds(facts: Facts, keys: Keys, said: str | None, usual: float) -> float:
    """A time up to an hour. UsageError [bad-setting]."""
    if said is None:
        return usual
    try:
        value = durations.seconds(said)
    except ValueError:
        refuse(facts.settings, keys, f"{said[:40]!r} is no duration", next="write it like 30s, 1m30s or 500ms")
    if not 0 <= value <= 3600:
        refuse(facts.settings, keys, f"{said} is out of range", next="0s to 1h")
    return value
