"""The home of the image's user, which generated files make writable."""

from __future__ import annotations

import pytest

from tests.support import planning
from wherry.model.project import Holdings
from wherry.plan.application import Known, decide
from wherry.plan.make import make_plan


@pytest.mark.parametrize(
    ("toml", "places"),
    [
        ("", ["/home/nonroot"]),
        ('[image]\nbase = "distroless"\n', ["/home/nonroot"]),
        ('[image]\nuser = "65532:0"\n', ["/home/nonroot"]),
        ('[image]\nwritable = ["/a", "/home/nonroot"]\n', ["/a", "/home/nonroot"]),
        ("[image]\nuser = 1000\n", []),
        ('[image]\nbase = "scratch"\n', []),
        ('[image]\nbase = "registry.example.com/own:1"\nwritable = ["/a"]\n', ["/a"]),
    ],
)
def test_home_is_writable_where_the_base_has_one(toml: str, places: list[str]) -> None:
    inputs = planning.inputs(toml)
    known = Known(plan=make_plan(inputs), project=inputs.project, holdings=Holdings(), tiers=inputs.tiers)
    (made,) = decide(known)
    assert [one.path for one in made.runs.places] == places
