"""Where the words of a copy lead, and what is said when not all of it is reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import random_image
from tests.support.ports import ports
from wherry.errors import UsageError
from wherry.flows.copy import CopyRequest, copied, place_of
from wherry.kit.ports import Event
from wherry.store import place as places
from wherry.store.places import at


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("reg.example/app:1", "docker://reg.example/app:1"),
        ("docker.io/alpine:3", "docker://docker.io/library/alpine:3"),
        ("docker://docker.io/alpine:3", "docker://docker.io/library/alpine:3"),
        ("docker://alpine:3", "docker://docker.io/library/alpine:3"),
        ("docker.io/team/app:1", "docker://docker.io/team/app:1"),
        ("alpine:3", "store:alpine:3"),
        ("oci:dir:1", "oci:dir:1"),
    ],
)
def test_docker_hub_has_one_part_names_in_its_library(word: str, place: str) -> None:
    assert str(place_of(word)) == place


def test_who_has_it_is_told_when_one_of_several_places_fails(tmp_path: Path) -> None:
    """The second of three is no layout and may not be made one."""
    built = random_image(tmp_path / "layers")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/note").touch()
    source, *wanted = (places.parse(f"oci:{tmp_path}/{name}:1") for name in ("from", "one", "full", "two"))
    told: list[Event] = []
    machine = replace(ports(tmp_path), events=told.append)
    at(source, machine).publish(built)
    request = CopyRequest(source=str(source), destinations=tuple(map(str, wanted)))
    with pytest.raises(UsageError):
        copied(source, tuple(wanted), request, machine)
    notes = [event.subject for event in told if event.state == "note"]
    assert notes == [f"{wanted[0]} has it by now", f"{wanted[2]} was not begun"]
    told.clear()
    assert [row.digest for row in copied(source, (wanted[0], wanted[2]), request, machine).published] == [
        built.digest
    ] * 2
    assert not [event for event in told if event.state == "note"]
