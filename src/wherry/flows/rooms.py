"""Hands rooms what they need of one run: folders, packers, ports. A Machine in, ready-made arguments out; makes the folders.

A room is imported by who asks for what is its own: a copy packs nothing.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wherry.cache.folders import Folders, prepare
from wherry.cache.records import Records
from wherry.errors import UsageError
from wherry.flows.folders import data_folder, folders_of, scratch
from wherry.kit.ports import Machine
from wherry.oci.platform import ALIASES, Platform
from wherry.store.keeper import Ports

if TYPE_CHECKING:
    from wherry.assemble.pack import Packer
    from wherry.cache.blobs import Blobs
    from wherry.flows.request import BuildRequest
    from wherry.model.registries import Registries


def packer(machine: Machine, folder: str, request: BuildRequest) -> Packer:
    """The layers' workplace; without the cache its records are as private as `folder`."""
    from wherry.assemble.pack import Packer

    folders = _folders(machine, folder, request)
    return Packer(
        blobs=Path(folders.blobs),
        scratch=Path(folder),
        records=Records(folders),
        threads=request.jobs or os.cpu_count() or 1,
    )


def blobs(machine: Machine, folder: str, request: BuildRequest) -> Blobs:
    """Where a base's documents and layers are kept; without the cache, as private as `folder`."""
    from wherry.cache.blobs import Blobs

    folders = _folders(machine, folder, request)
    return Blobs(folders, Records(folders))


def _folders(machine: Machine, folder: str, request: BuildRequest) -> Folders:
    return prepare(folders_of(machine) if request.cache else Folders(f"{folder}/cache"))


def standing(request: BuildRequest) -> Path:
    """The folder the user stands in, absolute, its links as they are. UsageError [no-such-folder] when it is there no more."""
    try:
        return Path(os.path.abspath(request.directory))  # noqa: PTH100 - resolve() would follow links
    except FileNotFoundError as error:
        raise UsageError(
            "no-such-folder", "the folder you stand in does not exist any more", next="cd to one that does"
        ) from error


def host() -> Platform:
    """What this machine runs."""
    name = os.uname().machine
    return Platform(architecture="arm" if name.startswith("armv") else ALIASES.get(name, name))


@contextlib.contextmanager
def store_ports(machine: Machine) -> Iterator[Ports]:
    """The store room's ports for as long as its scratch folder lives."""
    with scratch(machine) as folder:
        yield ports_with(machine, folder)


def ports_with(machine: Machine, folder: str) -> Ports:
    """The same over a scratch folder that is there already."""
    said, config = dict(machine.variables), Path(machine.environment.config_home, "wherry")
    return Ports(
        http=machine.http,
        run=machine.run,
        which=machine.which,
        host=host(),
        data=data_folder(machine),
        scratch=folder,
        environment=machine.variables,
        events=machine.events,
        early=machine.early,
        records=Records(folders_of(machine)),
        authfile=said.get("WHERRY_AUTHFILE", ""),
        offline=machine.environment.offline,
        registries=functools.cache(lambda: _registries(config, machine.environment.home)),
    )


def _registries(folder: Path, home: str) -> Registries:
    """Read when a registry is asked, and not before; the reader is not imported where there is nothing to read."""
    from wherry.model.registries import FILE, Registries

    if not Path(folder, FILE).is_file():
        return Registries()
    from wherry.plan.registries import read_registries

    return read_registries(folder, home)
