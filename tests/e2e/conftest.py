"""Engines for the end-to-end tests, each started once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import servers
from tests.support.buildkit import Builder, builder
from tests.support.containers import Engine
from tests.support.hub import Hub, hub


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


@pytest.fixture(scope="session", name="hub")
def world() -> Iterator[Hub]:
    """The registries and the module proxy that a build asks, on loopback."""
    with hub() as made:
        yield made


@pytest.fixture(scope="session", name="builder")
def buildkit(hub: Hub) -> Iterator[Builder]:
    """Docker's BuildKit with a daemon of its own."""
    with builder(hub) as made:
        made.put_compiled()
        yield made
        if os.environ.get("CI") != "true":  # there is no next one on a machine of CI's
            made.keep_compiled()
