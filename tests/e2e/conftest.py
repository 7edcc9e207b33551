"""Engines for the end-to-end tests, each started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import servers
from tests.support.containers import Engine


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """Docker with a daemon of its own."""
    with servers.dockerd() as host:
        yield Engine("docker", {"DOCKER_HOST": host})


@pytest.fixture(scope="session")
def podman() -> Iterator[Engine]:
    """podman with a storage of its own."""
    with servers.podman() as variables:
        yield Engine("podman", variables)
