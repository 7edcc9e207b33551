"""A name that only one of two engines has: each word finds its image where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import random_image
from tests.support.ports import ports
from tests.support.tools import need
from wherry.flows.loaded import loaded
from wherry.flows.subject import place_of
from wherry.oci import reference as references
from wherry.store import place as places
from wherry.store.keeper import Ports
from wherry.store.places import at

WHERE = {"docker-daemon": "indocker:1", "containers-storage": "inpodman:1"}


@pytest.fixture
def both(dockerd: str, podman: dict[str, str], tmp_path: Path) -> Ports:
    """Docker answers first, and podman is here, too."""
    need("skopeo")
    made = ports(tmp_path, DOCKER_HOST=dockerd, **podman)
    for scheme, name in WHERE.items():
        at(places.parse(f"{scheme}:{name}"), made).publish(random_image(tmp_path / "layers", seed=1))
    return made


def test_a_name_is_looked_for_in_each_engine(both: Ports) -> None:
    for scheme, name in WHERE.items():
        assert place_of(name, both) == places.EnginePlace(engine=scheme, reference=references.parse(name))
        found = loaded(references.parse(name), both)
        assert found
        assert found[1].images
    assert place_of("innone:1", both) is None


def test_a_name_as_podman_lists_it_is_no_registrys(both: Ports) -> None:
    """It calls the host of what was built here `localhost`; what it does not have may be a registry's all the same."""
    mine, other = "localhost/inpodman:1", "localhost/innone:1"
    assert place_of(mine, both) == places.EnginePlace(engine="containers-storage", reference=references.parse(mine))
    assert place_of(other, both) == places.RegistryPlace(reference=references.parse(other))
