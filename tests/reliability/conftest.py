"""A real registry for the suites of rows C, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import servers
from tests.support.faults import FaultProxy, fault_proxy


@pytest.fixture(scope="session")
def docker_registry() -> Iterator[str]:
    """`127.0.0.1:PORT`."""
    with servers.docker_registry() as host:
        yield host


@pytest.fixture
def proxy(docker_registry: str) -> Iterator[FaultProxy]:
    """A proxy that does no harm yet, before a real registry."""
    with fault_proxy(docker_registry) as state:
        yield state
