"""Addresses of a registry, and which of those it names may be asked. References and URLs in, URLs out; touches nothing.

Every address that an answer names (Location, realm, redirect) passes `allowed` before it is asked (C08), and
carries credentials only where `same_origin` says so (D02, D03).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from wherry.errors import RefusedError
from wherry.kit.hosts import is_internal, is_loopback
from wherry.kit.text import one_line
from wherry.oci.reference import DOCKER_HUB, Reference

#: Registries whose API is at another name than the one people write.
API_HOSTS: Final = {DOCKER_HUB: "registry-1.docker.io"}


def base(host: str, plain: tuple[str, ...], protected: tuple[str, ...] = ()) -> str:
    """`https://host`, or http for the hosts named in `plain` and for loopback, but for those named in `protected`."""
    api = API_HOSTS.get(host, host)
    name = urlsplit(f"//{api}").hostname or ""
    here = is_loopback(name) and host.lower() not in protected
    return f"{'http' if here or api in plain or name in plain else 'https'}://{api}"


def name_of(root: str) -> str:
    """The registry of a base URL as people name it: `docker.io`, `registry.example:5000`."""
    host = urlsplit(root).netloc
    return next((name for name, api in API_HOSTS.items() if api == host), host)


def manifest(root: str, reference: Reference, name: str) -> str:
    """Where the manifest of a tag or digest is (distribution-spec, end-3 and end-7)."""
    return f"{root}/v2/{reference.repository}/manifests/{name}"


def blob(root: str, reference: Reference, digest: str) -> str:
    """Where a blob is (end-2)."""
    return f"{root}/v2/{reference.repository}/blobs/{digest}"


def uploads(root: str, reference: Reference) -> str:
    """Where an upload begins (end-4a)."""
    return f"{root}/v2/{reference.repository}/blobs/uploads/"


def with_query(url: str, **values: str) -> str:
    """`url` with more query parameters; those it has stay as they are (an upload's Location may hold a state)."""
    return url + ("&" if urlsplit(url).query else "?") + urlencode(values, safe=":")


def joined(asked: str, location: str) -> str:
    """Where a Location header leads, seen from the address that was asked; RefusedError [steered] when it must not be asked."""
    try:
        target = urljoin(asked, location)
    except ValueError:
        raise _steered(location, asked, "it is no address") from None
    allowed(target, asked)
    return target


def allowed(target: str, asked: str) -> None:
    """Returns when an address given by a server may be asked; RefusedError [steered] for another scheme, less
    protection, a user in it, or an address inside this machine or network that the asked server itself is not at."""
    try:
        new, old = urlsplit(target), urlsplit(asked)
        _ = new.port
    except ValueError:
        raise _steered(target, asked, "it is no address") from None
    name = new.hostname or ""
    if new.scheme not in ("http", "https") or not name:
        raise _steered(target, asked, "it is no web address")
    if "@" in new.netloc or not target.isascii() or not target.isprintable() or "\\" in target:
        raise _steered(target, asked, "it holds a user or odd characters")
    if new.scheme == "http" and old.scheme == "https":
        raise _steered(target, asked, "it is not protected by TLS")
    if is_internal(name) and name != (old.hostname or "") and not is_loopback(old.hostname or ""):
        raise _steered(target, asked, "it lies inside this machine or network")


def same_origin(one: str, other: str) -> bool:
    """True when scheme, host and port are equal (RFC 6454)."""
    return origin(one) == origin(other)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)


def shown(target: str) -> str:
    """An address to print: neither its query, which may hold a signature, nor what stands before an @, maybe a password."""
    scheme, slashes, rest = target.partition("?")[0][:200].partition("//")
    return one_line(scheme + slashes + rest.rpartition("@")[2])


def _steered(target: str, asked: str, why: str) -> RefusedError:
    return RefusedError(
        "steered",
        f"{urlsplit(asked).netloc} sends us to {shown(target)}, which was not asked",
        where=shown(target),
        why=why,
        next="tell whoever runs the registry",
    )
