"""The table of places: one row each. A Place and the ports in, its Keeper out; touches nothing."""

from __future__ import annotations

from wherry.store.docker_archive import DockerArchive
from wherry.store.engine.containerd import Containerd
from wherry.store.engine.docker import DockerDaemon
from wherry.store.engine.podman import ContainersStorage
from wherry.store.keeper import Keeper, Ports
from wherry.store.layout import Layout
from wherry.store.oci_archive import OciArchive
from wherry.store.own import Own
from wherry.store.place import (
    DockerArchivePlace,
    EnginePlace,
    LayoutPlace,
    OciArchivePlace,
    OwnPlace,
    Place,
    RegistryPlace,
)
from wherry.store.registry.keeper import Registry


def at(place: Place, ports: Ports) -> Keeper:
    """The keeper of `place`."""
    match place:
        case LayoutPlace():
            return Layout(place)
        case OciArchivePlace():
            return OciArchive(place)
        case DockerArchivePlace():
            return DockerArchive(place)
        case RegistryPlace():
            return Registry(place, ports)
        case OwnPlace():
            return Own(place, ports.data)
        case EnginePlace(engine="docker-daemon"):
            return DockerDaemon(place, ports)
        case EnginePlace(engine="containers-storage"):
            return ContainersStorage(place, ports)
        case EnginePlace():
            return Containerd(place, ports)
