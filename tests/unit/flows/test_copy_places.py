"""Where the words of a copy lead."""

from __future__ import annotations

import pytest

from wherry.flows.copy import place_of


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
