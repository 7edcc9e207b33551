"""What containers use, looked at on a machine that takes its time."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import cast

import pytest

from wherry.flows.runbook import Kept, measured_now
from wherry.runtime import cgroups
from wherry.runtime.cgroups import Group, Usage


@pytest.mark.parametrize("slow", [((0, 0.4), (0, 0)), ((0.4, 0), (0, 0)), ((0, 0), (0.4, 0)), ((0, 0), (0, 0.4))])
def test_a_slow_look_makes_no_processors_out_of_one(
    slow: tuple[tuple[float, float], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that burns one has used no more than one, whenever it was read how much that was."""
    looks = iter(slow)

    def usage(_: Group) -> Usage:
        before, after = next(looks)
        time.sleep(before)
        used = time.monotonic()
        time.sleep(after)
        return Usage(cpu_seconds=used)

    monkeypatch.setattr(cgroups, "usage", usage)
    monkeypatch.setattr(cgroups, "group_of", lambda _: Group())
    (one,) = measured_now(cast(Kept, SimpleNamespace(record=SimpleNamespace(id="x"), pid=1)))
    assert one.processors is not None
    assert 0 < one.processors <= 1
