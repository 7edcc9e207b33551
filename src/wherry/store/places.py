"""The table of places: one row each. A Place and the ports in, its Keeper out; imports what that place needs."""

from __future__ import annotations

from wherry.store.keeper import Keeper, Ports
from wherry.store.place import (
    DockerArchivePlace,
    EnginePlace,
    LayoutPlace,
    OciArchivePlace,
    OwnPlace,
    Place,
    RegistryPlace,
)


def at(place: Place, ports: Ports) -> Keeper:
    """The keeper of `place`."""
    match place:
        case LayoutPlace():
            from wherry.store.layout import Layout

            return Layout(place)
        case OciArchivePlace():
            from wherry.store.oci_archive import OciArchive

            return OciArchive(place)
        case DockerArchivePlace():
            from wherry.store.docker_archive import DockerArchive

            return DockerArchive(place, ports.staging)
        case RegistryPlace():
            from wherry.store.registry.keeper import Registry

            return Registry(place, ports)
        case OwnPlace():
            from wherry.store.own import Own

            return Own(place, ports.data)
        case EnginePlace(engine="docker-daemon"):
            from wherry.store.engine.docker import DockerDaemon

            return DockerDaemon(place, ports)
        case EnginePlace(engine="containers-storage"):
            from wherry.store.engine.podman import ContainersStorage

            return ContainersStorage(place, ports)
        case EnginePlace():
            from wherry.store.engine.containerd import Containerd

            return Containerd(place, ports)
