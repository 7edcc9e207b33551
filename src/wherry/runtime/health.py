"""How a container is: probes in, starting, healthy or unhealthy out. Docker's rules (moby, daemon/health.go); touches nothing."""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from wherry.kit.value import Value
from wherry.model.plan import Health

Status = Literal["starting", "healthy", "unhealthy"]
KEPT: Final = 5
OUTPUT: Final = 1 << 12
"""Bytes of what a probe said that are kept."""
SOON: Final = 0.5
"""Seconds between probes while it starts: nobody wants to wait an interval for the first good one."""


class Probe(Value, frozen=True, kw_only=True):
    """One look at its health."""

    began: float
    """Unix seconds."""
    seconds: float
    well: bool
    said: str = ""
    """`200`, `refused`, or what the command wrote."""


class Condition(Value, frozen=True, kw_only=True):
    """How it is."""

    status: Status = "starting"
    since: float = 0.0
    """Unix seconds of the last change."""
    failing: int = 0
    """Failures in a row that count."""
    probes: tuple[Probe, ...] = ()
    """The last few, the oldest first."""


def after(known: Condition, probe: Probe, health: Health, started: float) -> Condition:
    """The condition with one more probe. One that fails within the start period of a container that was never healthy does not
    count; a good one ends that period."""
    probe = replace(probe, said=probe.said[-OUTPUT:])
    probes = (*known.probes, probe)[-KEPT:]
    ended = probe.began + probe.seconds
    if probe.well:
        status: Status = "healthy"
        failing = 0
    elif known.status == "starting" and probe.began < started + health.start_period:
        return replace(known, probes=probes)
    else:
        failing = known.failing + 1
        status = "unhealthy" if failing >= health.retries else known.status
    since = known.since if status == known.status else ended
    return Condition(status=status, since=since, failing=failing, probes=probes)


def pause(known: Condition, health: Health, started: float, now: float) -> float:
    """Seconds until the next probe."""
    starting = known.status == "starting" and now < started + health.start_period
    return min(SOON, health.interval) if starting or not known.probes else health.interval
