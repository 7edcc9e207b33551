"""Hands rooms what they need of one run: folders, packers, ports. A Machine in, ready-made arguments out; makes the folders."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from wherry.assemble.pack import Packer
from wherry.cache.folders import Folders, locate, prepare
from wherry.cache.leases import lease
from wherry.cache.records import Records
from wherry.compile import Workplace
from wherry.flows.request import BuildRequest
from wherry.kit.goenv import go_environment
from wherry.kit.ports import Machine
from wherry.kit.scratch import scratch_folder
from wherry.model.plan import Plan
from wherry.oci.platform import ALIASES, Platform
from wherry.store.keeper import Ports


def folders_of(machine: Machine) -> Folders:
    """Where this user's cache lies; nothing is made."""
    return locate(dict(machine.variables))


def data_folder(machine: Machine) -> str:
    """Where wherry's own store lies: WHERRY_DATA_DIR, else `wherry` in the user's data folder."""
    own = dict(machine.variables).get("WHERRY_DATA_DIR", "")
    return own if own.startswith("/") else f"{machine.environment.data_home}/wherry"


@contextlib.contextmanager
def scratch(machine: Machine) -> Iterator[str]:
    """A private folder beside the cache for one run; while it is there, nothing this run uses is pruned."""
    folders = prepare(folders_of(machine))
    with lease(folders), scratch_folder(folders.scratch) as folder:
        yield folder


def packer(machine: Machine, folder: str, request: BuildRequest) -> Packer:
    """The layers' workplace; without the cache its records are as private as `folder`."""
    folders = prepare(folders_of(machine) if request.cache else Folders(f"{folder}/cache"))
    return Packer(
        blobs=Path(folders.blobs),
        scratch=Path(folder),
        records=Records(folders),
        threads=request.jobs or os.cpu_count() or 1,
    )


def workplace(machine: Machine, plan: Plan, folder: str, request: BuildRequest) -> Workplace:
    """Where and with what `go build` runs."""
    folders = folders_of(machine) if request.cache else prepare(Folders(f"{folder}/cache"))
    return Workplace(
        toolchain=plan.toolchain,
        environment=go_environment(machine.environment, plan.toolchain.environment, root=plan.root),
        kept=folders.binaries,
        scratch=folder,
        reader=str(Path.cwd()),
    )


def standing(request: BuildRequest) -> Path:
    """The folder the user stands in, absolute, its links as they are."""
    return Path(os.path.abspath(request.directory))  # noqa: PTH100 - resolve() would follow links


def host() -> Platform:
    """What this machine runs."""
    name = platform.machine()
    return Platform(architecture="arm" if name.startswith("armv") else ALIASES.get(name, name))


@contextlib.contextmanager
def store_ports(machine: Machine) -> Iterator[Ports]:
    """The store room's ports for as long as its scratch folder lives."""
    with scratch(machine) as folder:
        yield ports_with(machine, folder)


def ports_with(machine: Machine, folder: str) -> Ports:
    """The same over a scratch folder that is there already."""
    return Ports(
        http=machine.http,
        run=machine.run,
        which=machine.which,
        host=host(),
        data=data_folder(machine),
        scratch=folder,
        environment=machine.variables,
        events=machine.events,
    )
