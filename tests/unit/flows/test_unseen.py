"""A look that fails is UNKNOWN with all that is known of it."""

from __future__ import annotations

from typing import NoReturn, cast

import pytest

from tests.support.observed import observed
from wherry.errors import UnavailableError
from wherry.flows.looks import Scene
from wherry.flows.prove import _seen
from wherry.judge.start import start
from wherry.kit.ports import Machine
from wherry.model.observation import Expectations
from wherry.runtime.failures import failure

HYBRID = "Error: OCI runtime error: crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2"


class Quiet:
    """A machine that hears what is looked at."""

    def events(self, _: object) -> None: ...


class Nowhere:
    """A scene without a container."""

    machine = cast(Machine, Quiet())


def test_what_kept_a_container_from_starting_is_its_reason() -> None:
    def look(_: Scene) -> NoReturn:
        raise failure(HYBRID)

    verdict = start(observed(**_seen(look, ("start",), cast(Scene, Nowhere()))), Expectations())
    assert verdict.outcome == "UNKNOWN"
    assert "drop all controllers from cgroupv2 [hybrid-cgroups]" in verdict.summary
    assert verdict.next[0] == "--engine runc"


def test_a_runtime_that_lies_ends_the_proof() -> None:
    def look(_: Scene) -> NoReturn:
        raise UnavailableError("reduced-isolation", "less than was decided")

    with pytest.raises(UnavailableError):
        _seen(look, ("start",), cast(Scene, Nowhere()))
