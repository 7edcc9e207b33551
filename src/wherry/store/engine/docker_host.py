"""Where the Docker daemon is. DOCKER_HOST, Docker's contexts and the ports in, an address out; reads Docker's config.

As the docker command: DOCKER_HOST, then DOCKER_CONTEXT, then the context that config.json names, then the usual socket.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from wherry.errors import UnavailableError
from wherry.kit.text import one_line
from wherry.kit.value import Value, decodable
from wherry.store.keeper import Ports

T = TypeVar("T")
SOCKET = "/var/run/docker.sock"


class Address(Value, frozen=True, kw_only=True):
    """The daemon's address as the user wrote it, and as URLs begin."""

    text: str
    url: str
    socket: str = ""
    """Path of a unix socket."""

    def at(self, path: str) -> str:
        """The URL of one of the API's paths."""
        return self.url + path


class _Config(Value, frozen=True, kw_only=True, rename="camel"):
    current_context: str = ""


class _Endpoint(Value, frozen=True, kw_only=True):
    host: str = msgspec.field(default="", name="Host")


class _Meta(Value, frozen=True, kw_only=True):
    endpoints: dict[str, _Endpoint] = msgspec.field(default_factory=dict, name="Endpoints")


def address(ports: Ports) -> Address:
    """Where Docker should be; UnavailableError [docker-host] for an address that wherry cannot speak to."""
    text = ports.variable("DOCKER_HOST") or _of_context(ports) or f"unix://{SOCKET}"
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest:
        return Address(text=text, url=f"unix://{rest}:", socket=rest)
    tls = bool(ports.variable("DOCKER_TLS_VERIFY"))
    if scheme in ("tcp", "http") and rest and not tls:
        return Address(text=text, url=f"http://{rest.rstrip('/')}")
    raise UnavailableError(
        "docker-host",
        f"wherry cannot speak to Docker at {one_line(text[:200])}" + (" with client certificates" if tls else ""),
        why="it knows unix:// sockets and tcp:// without TLS",
        next=("write docker-archive:FILE and load it by docker load -i FILE", "push to a registry"),
    )


def plain_host(ports: Ports) -> str:
    """`host:port` of a DOCKER_HOST of the form tcp://, which the user chose to ask without TLS; empty for others."""
    scheme, _, rest = ports.variable("DOCKER_HOST").partition("://")
    return rest.rstrip("/") if scheme in ("tcp", "http") and not ports.variable("DOCKER_TLS_VERIFY") else ""


def _of_context(ports: Ports) -> str:
    """The host of the context in use (docker/cli, context/store: a folder named by the SHA-256 of the context's name)."""
    folder = Path(ports.variable("DOCKER_CONFIG") or f"{ports.variable('HOME')}/.docker")
    name = ports.variable("DOCKER_CONTEXT")
    if not name:
        config = _read(folder / "config.json", _Config)
        name = config.current_context if config else ""
    if name in ("", "default"):
        return ""
    hashed = hashlib.sha256(name.encode()).hexdigest()
    meta = _read(folder / "contexts" / "meta" / hashed / "meta.json", _Meta)
    host = meta.endpoints["docker"].host if meta and "docker" in meta.endpoints else ""
    if not host:
        raise UnavailableError(
            "docker-host",
            f"Docker's context {one_line(name[:80])!r} names no host",
            where=str(folder / "contexts"),
            next="docker context ls",
        )
    return host


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=decodable(kind))
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
