"""Which engines answer on this machine. The ports in, a tuple of engines out; asks Docker's socket, looks for programs.

Cheap: what is not there costs a look at the disk, so that a build without a destination can ask each time.
"""

from __future__ import annotations

from pathlib import Path

from wherry.errors import WherryError
from wherry.kit.ports import Request
from wherry.kit.value import Value
from wherry.store.engine.docker_host import address
from wherry.store.engine.names import CONTAINERD_SOCKET
from wherry.store.keeper import Ports


class Engine(Value, frozen=True, kw_only=True):
    """An engine that is here."""

    name: str
    """Docker, podman or containerd."""
    scheme: str
    """Of its places: docker-daemon, containers-storage or containerd."""
    where: str
    """A socket or program."""
    version: str = ""
    loads: bool = True
    """False where --load and a bare build pass it by: containerd is mostly another engine's own."""


def engines(ports: Ports) -> tuple[Engine, ...]:
    """The engines that answer, the one that --load takes first."""
    found = (_docker(ports), _podman(ports), _containerd(ports))
    return tuple(engine for engine in found if engine)


def default(ports: Ports) -> Engine | None:
    """The engine that --load means; podman and containerd are not looked for when Docker answers."""
    for look in (_docker, _podman):
        engine = look(ports)
        if engine:
            return engine
    return None


def _docker(ports: Ports) -> Engine | None:
    try:
        at = address(ports)
        if at.socket and not Path(at.socket).is_socket():
            return None
        response = ports.http(Request(method="GET", url=at.at("/_ping"), timeout=3.0))
    except WherryError:
        return None
    response.close()
    if response.status != 200:
        return None
    program, _, version = response.header("Server").partition(" ")[0].partition("/")
    name = "podman" if program == "Libpod" else "Docker"  # podman answers at Docker's socket too
    return Engine(name=name, scheme="docker-daemon", where=at.text, version=version)


def _podman(ports: Ports) -> Engine | None:
    program = ports.which("podman")
    return Engine(name="podman", scheme="containers-storage", where=program) if program else None


def _containerd(ports: Ports) -> Engine | None:
    socket = ports.variable("CONTAINERD_ADDRESS") or CONTAINERD_SOCKET
    if not ports.which("ctr") or not Path(socket).is_socket():
        return None
    return Engine(name="containerd", scheme="containerd", where=socket, loads=False)
