"""Words of the Kubernetes API: quantities, names, label values. Values in, texts out; touches nothing."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Final

_UNITS: Final = (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))
_LONGEST: Final = 63
"""Of a label's value, and of a DNS label."""
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)


def quantity(number: int) -> str:
    """Bytes, exactly, in the largest power of two that divides them: `256Mi`."""
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if number and number % factor == 0), ("", 1))
    return f"{number // factor}{unit}"


def memory(number: int) -> str:
    """Bytes as Go reads GOMEMLIMIT, rounded down: `235929KiB`, as in a compose file."""
    return f"{number >> 10}KiB"


def processors(cpus: float) -> str:
    """`2`, `100m`; rounded up to a thousandth, the finest that Kubernetes takes."""
    thousandths = max(1, math.ceil(round(cpus * 1000, 6)))
    return f"{thousandths // 1000}" if thousandths % 1000 == 0 else f"{thousandths}m"


def seconds(length: float, least: int = 1) -> int:
    """Whole seconds, rounded up."""
    return max(least, math.ceil(length))


def label(text: str) -> str:
    """`text` as the value of a label: what none may hold becomes `_`, as Helm does it with `+`."""
    return _FOREIGN.sub("_", text)[:_LONGEST].strip("._-")


def tag(text: str) -> str:
    """`text` as an image's tag, as `wherry build` names it."""
    return _FOREIGN.sub("-", text).lstrip(".-")[:128] or "latest"


def slug(path: str) -> str:
    """A path as a DNS label of its own: what had to be changed or cut is told apart by a digest."""
    made = re.sub(r"[^a-z0-9]+", "-", path).strip("-")
    if made and f"/{made.replace('-', '/')}" == path and len(made) <= _LONGEST:
        return made
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"{made[: _LONGEST - 9].rstrip('-')}-{digest}".lstrip("-")
