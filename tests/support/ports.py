"""The machine for tests of rooms: real network, processes and programs of this machine, in a folder of the test."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from wherry.oci.platform import Platform
from wherry.store.keeper import Ports
from wherry.system.http import Network
from wherry.system.processes import Processes
from wherry.system.programs import programs

HOST = Platform(os="linux", architecture={"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine])


@functools.cache
def network() -> Network:
    """One for all: reading the machine's certificates takes longer than most tests."""
    return Network()


def ports(folder: Path, **variables: str) -> Ports:
    """Ports whose data, scratch and home lie in `folder`; of the environment only PATH and `variables`."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {"HOME": str(folder / "home"), "PATH": os.environ["PATH"]} | variables
    return Ports(
        http=network(),
        run=Processes(),
        which=programs(environment["PATH"]),
        host=HOST,
        data=str(folder / "data"),
        scratch=str(scratch),
        environment=tuple(sorted(environment.items())),
        pause=lambda _: None,
    )
