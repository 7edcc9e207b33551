"""What is attached to an image goes along, through every kind of place that can hold it, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.attachments import copy, source, there
from wherry.errors import UsageError
from wherry.flows.annotate import AnnotateRequest, annotate
from wherry.system.machine import real_machine

ROUTES = (("docker_registry",), ("fake_host",), ("docker_registry", "fake_host"))


@pytest.mark.parametrize("route", ROUTES, ids="+".join)
def test_signatures_are_not_left_behind(route: tuple[str, ...], request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """From a layout through registries with and without a list of referrers, into a layout again."""
    place = source(tmp_path)
    expected = there(place, tmp_path)
    assert len(expected) == 4
    for number, name in enumerate(route):
        host = request.getfixturevalue(name)
        following = f"docker://{host}/{tmp_path.name.lower()}/app{number}:1"
        assert copy(place, following, tmp_path).attached == 4
        place = following
        assert there(place, tmp_path) == expected
    copy(place, f"oci:{tmp_path}/back:1", tmp_path)
    assert there(f"oci:{tmp_path}/back:1", tmp_path) == expected


def test_twice_attaches_once(docker_registry: str, tmp_path: Path) -> None:
    place, target = source(tmp_path), f"docker://{docker_registry}/{tmp_path.name.lower()}/twice:1"
    copy(place, target, tmp_path)
    copy(place, target, tmp_path)
    assert len(there(target, tmp_path)) == 4


def test_a_place_without_room_says_so_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        copy(source(tmp_path), f"oci-archive:{tmp_path}/x.tar", tmp_path)
    assert caught.value.name == "no-referrers"
    assert not (tmp_path / "x.tar").exists()


@pytest.mark.parametrize("kind", ["layout", "docker_registry", "fake_host"])
def test_a_changed_image_tells_what_stays_with_the_old_one(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """An SBOM of one image, an SBOM and a cosign tag of the index; what refers to an SBOM is not asked for."""
    place = source(tmp_path)
    if kind != "layout":
        host = request.getfixturevalue(kind)
        copy(place, f"docker://{host}/{tmp_path.name.lower()}/changed:1", tmp_path)
        place = f"docker://{host}/{tmp_path.name.lower()}/changed:1"
    wanted = AnnotateRequest(subject=place, annotations=(("a", "b"),))
    (note,) = [one for one in annotate(wanted, real_machine()).findings if one.name == "left-behind"]
    assert note.message == "3 attached things stay with the old image: application/vnd.example.thing, cosign's .sig"
    assert not annotate(wanted, real_machine()).findings, "the new image has nothing attached"
