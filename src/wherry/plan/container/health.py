"""The image's own health check as wherry's value. A config in, a Health or None out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.model.plan import Health
from wherry.oci.config import RunConfig

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
    return Health(
        command=command,
        interval=check.interval / _SECOND or INTERVAL,
        timeout=check.timeout / _SECOND or TIMEOUT,
        start_period=check.start_period / _SECOND,
        retries=check.retries or RETRIES,
    )
