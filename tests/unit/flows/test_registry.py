"""Tags in the order of their versions."""

from __future__ import annotations

import random

from wherry.flows.registry import version_key

ORDERED = ("1.2", "1.9-rc1", "1.9-rc2", "1.9", "1.9.1", "1.10", "2", "10", "edge", "latest", "v1.2.3", "v1.10.0")


def test_numbers_count_as_numbers() -> None:
    shuffled = random.Random(1).sample(ORDERED, len(ORDERED))
    assert tuple(sorted(shuffled, key=version_key)) == ORDERED
