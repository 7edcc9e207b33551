"""Where images go: one place, several images. Plans without a machine behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import planning
from tests.support.ports import ports
from wherry.errors import UsageError
from wherry.flows.destinations import Destinations, choose
from wherry.flows.request import BuildRequest
from wherry.model.plan import Plan

API, WORKER = planning.main("api"), planning.main("worker")


def plan_of(*references: str) -> Plan:
    return planning.plan(project=planning.project(API, WORKER), packages=("./...",), references=references)


def chosen(folder: Path, *places: str, references: tuple[str, ...] = ()) -> tuple[Destinations, Plan]:
    plan = plan_of(*references)
    return choose(BuildRequest(places=places), plan, ports(folder)), plan


@pytest.mark.parametrize(
    ("references", "tags"),
    [
        ((), ("api-1.4.0", "worker-1.4.0")),
        (("reg.example/{name}:7",), ("api-7", "worker-7")),
        (("reg.example/{name}",), ("api-latest", "worker-latest")),
    ],
)
def test_several_images_in_one_layout_keep_apart(
    references: tuple[str, ...], tags: tuple[str, ...], tmp_path: Path
) -> None:
    destinations, plan = chosen(tmp_path, "oci:out", references=references)
    assert tuple(str(place) for image in plan.images for place in destinations.of(image)) == tuple(
        f"oci:out:{tag}" for tag in tags
    )


@pytest.mark.parametrize(
    "place",
    [
        "oci:out:1.0",
        "oci-archive:a.tar",
        "docker-archive:a.tar",
        "docker://reg.example/a:1",
        "store:a",
        "docker-daemon:a:1",
    ],
)
def test_a_place_for_one_image_is_refused_to_several(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can hold one image, and 2 are to be built") as caught:
        chosen(tmp_path, place)
    assert caught.value.name == "one-image-place"


def test_engines_and_the_store_take_several(tmp_path: Path) -> None:
    destinations, plan = chosen(tmp_path, "docker-daemon:", "store:")
    assert [str(place) for place in destinations.of(plan.images[0])] == ["docker-daemon:", "store:"]


def test_one_name_for_two_images_is_refused() -> None:
    error = planning.refused(
        project=planning.project(API, WORKER), packages=("./...",), references=("reg.example/app:1",)
    )
    assert (error.name, error.where) == ("same-name", ("api", "worker"))
    assert error.next == ("wherry build -t reg.example/{name}:{version}",)
