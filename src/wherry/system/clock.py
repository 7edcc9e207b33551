"""The clock port."""

from __future__ import annotations

import time


def now() -> float:
    """Unix seconds."""
    return time.time()
