"""What is attached to an image goes along, through every kind of place that can hold it, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.attachments import copy, source, there
from wherry.errors import UsageError

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
