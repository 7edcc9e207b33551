"""Variables that every file sets where the code reads them and nobody else has set them. Facts in, pairs out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.model.plan import Pairs
from wherry.plan.application.facts import Facts

USUAL: Final = {"LOG_LEVEL": "info", "TZ": "UTC"}
"""Where it serves; what is in the image already (GIN_MODE) needs no second place."""
DEBUGGING: Final = {"GIN_MODE": "debug", "LOG_LEVEL": "debug"}
"""Where one works on it."""


def usual(facts: Facts, read: tuple[str, ...]) -> Pairs:
    """Of the variables that the code reads those that the image does not set."""
    said = dict(facts.image.environment)
    return tuple((name, value) for name, value in USUAL.items() if name in read and name not in said)


def debugging(facts: Facts, read: tuple[str, ...]) -> Pairs:
    """The same for development: what wherry put into the image for servers gives way, what the settings say does not."""
    said = facts.settings.image.env or {}
    return tuple((name, value) for name, value in DEBUGGING.items() if name in read and name not in said)
