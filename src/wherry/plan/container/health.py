"""The image's own health check as wherry's value. A config in, a Health or None out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.model.plan import Health
from wherry.oci.config import RunConfig

PROBE: Final = "/wherry/probe"
"""Wherry's own probe in an image: PORT PATH SECONDS. What it asks is asked from outside, which costs less."""
_SECOND: Final = 1_000_000_000
#: Docker's defaults (moby, daemon/health.go).
INTERVAL, TIMEOUT, RETRIES = 30.0, 30.0, 3


def health_of(config: RunConfig) -> Health | None:
    """None without a check, or with NONE. CMD-SHELL becomes /bin/sh -c."""
    check = config.healthcheck
    words = (check.test or ()) if check else ()
    if check is None or not words or words[0] == "NONE":
        return None
    command = ("/bin/sh", "-c", *words[1:]) if words[0] == "CMD-SHELL" else words[1:] if words[0] == "CMD" else words
    if not command:
        return None
    asked = _asked(command)
    return Health(
        port=asked[0],
        path=asked[1],
        command=() if asked[0] else command,
        interval=check.interval / _SECOND or INTERVAL,
        timeout=check.timeout / _SECOND or TIMEOUT,
        start_period=check.start_period / _SECOND,
        retries=check.retries or RETRIES,
    )


def _asked(command: tuple[str, ...]) -> tuple[int, str]:
    """The port and path that wherry's own probe is given; 0 for any other command."""
    if len(command) >= 3 and command[0] == PROBE and command[1].isdigit():
        return int(command[1]), command[2]
    return 0, ""
