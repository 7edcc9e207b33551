"""Hands rooms what they need of one run: folders, packers, ports. A Machine in, ready-made arguments out; makes the folders."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from wherry.assemble.pack import Packer
from wherry.compile import Workplace
from wherry.flows.request import BuildRequest
from wherry.kit.files import atomic_write, private_directory
from wherry.kit.goenv import go_environment
from wherry.kit.ports import Machine
from wherry.model.plan import Plan
from wherry.oci.platform import Platform
from wherry.store.keeper import Ports
from wherry.system.scratch import scratch_folder


class _Records:
    def __init__(self, folder: Path) -> None:
        self.folder = private_directory(folder)

    def get(self, key: str, /) -> bytes | None:
        try:
            return (self.folder / hashlib.sha256(key.encode()).hexdigest()).read_bytes()
        except OSError:
            return None

    def put(self, key: str, data: bytes, /) -> None:
        atomic_write(self.folder / hashlib.sha256(key.encode()).hexdigest(), data)


def variable(machine: Machine, name: str, default: str = "") -> str:
    return dict(machine.variables).get(name) or default


def cache_root(machine: Machine) -> Path:
    return Path(variable(machine, "WHERRY_CACHE_DIR") or f"{machine.environment.cache_home}/wherry") / "1"


def data_root(machine: Machine) -> str:
    return variable(machine, "WHERRY_DATA_DIR") or f"{machine.environment.data_home}/wherry"


@contextlib.contextmanager
def scratch(machine: Machine) -> Iterator[str]:
    with scratch_folder(str(cache_root(machine) / "tmp")) as folder:
        yield folder


def packer(machine: Machine, folder: str, threads: int) -> Packer:
    root = cache_root(machine)
    return Packer(
        blobs=private_directory(root / "blobs"),
        scratch=Path(folder),
        records=_Records(root / "records"),
        threads=threads or os.cpu_count() or 1,
    )


def host(machine: Machine) -> Platform:
    import platform

    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
    return Platform(architecture=names.get(platform.machine(), platform.machine()))


@contextlib.contextmanager
def store_ports(machine: Machine) -> Iterator[Ports]:
    with scratch(machine) as folder:
        yield ports_with(machine, folder)


def ports_with(machine: Machine, folder: str) -> Ports:
    return Ports(
        http=machine.http, run=machine.run, which=machine.which, host=host(machine), data=data_root(machine),
        scratch=folder, environment=machine.variables, events=machine.events,
    )  # fmt: skip


def workplace(machine: Machine, plan: Plan, folder: str, request: BuildRequest) -> Workplace:
    """Where and with what `go build` runs."""
    return Workplace(
        toolchain=plan.toolchain,
        environment=go_environment(machine.environment, plan.toolchain.environment, root=plan.root),
        kept=str(private_directory(cache_root(machine) / "binaries")),
        scratch=folder,
        reader=str(Path.cwd()),
    )
