"""Real stores for the contract suites, each started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.registry import fake_registry
from tests.support.shelves import KINDS, Shelf, shelf_of


@pytest.fixture(scope="session")
def dockerd() -> Iterator[str]:
    """DOCKER_HOST."""
    with servers.dockerd() as host:
        yield host


@pytest.fixture(scope="session")
def podman() -> Iterator[dict[str, str]]:
    """Variables for podman and skopeo."""
    with servers.podman() as variables:
        yield variables


@pytest.fixture(scope="session")
def containerd() -> Iterator[str]:
    """CONTAINERD_ADDRESS."""
    with servers.containerd() as address:
        yield address


@pytest.fixture(scope="session")
def docker_registry() -> Iterator[str]:
    """`127.0.0.1:PORT`."""
    with servers.docker_registry() as host:
        yield host


@pytest.fixture
def fake_host() -> Iterator[str]:
    """`127.0.0.1:PORT` of a registry in memory."""
    with fake_registry() as state:
        yield state.host


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """Each kind of place in turn."""
    return shelf_of(request.param, request, tmp_path)
