"""How each host is spoken to. Requests in, answers out through the Http port, with what the user said of their host; reads the
folders of certificates that docker and podman read.

What was said of a host is for that host and port alone: a redirect, or a token server elsewhere, gets its own (D10).
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from wherry.errors import UnavailableError
from wherry.kit.files import disk_errors
from wherry.kit.ports import Request, Response, Trust
from wherry.kit.text import one_line
from wherry.model.registries import SECONDS
from wherry.store.keeper import Ports
from wherry.store.registry.url import name_of

#: Folders of folders named HOST or HOST:PORT (containers-certs.d(5), "Configure Docker to use a private registry").
FOLDERS = ("/etc/containers/certs.d", "/etc/docker/certs.d")


class Reach:
    """An Http port for registries. Safe to use from several threads."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._known: dict[str, tuple[Trust, float]] = {}

    def __call__(self, request: Request, /) -> Response:
        """As the port; UnavailableError [offline] where the user wants no network."""
        host = urlsplit(request.url).netloc
        if self._ports.offline:
            raise offline(host, f"{request.method} {urlsplit(request.url).path}")
        if host not in self._known:
            self._known[host] = self._settled(host)
        trust, timeout = self._known[host]
        usual = request.timeout == SECONDS
        return self._ports.http(replace(request, trust=trust, timeout=timeout if usual else request.timeout))

    def _settled(self, host: str) -> tuple[Trust, float]:
        name = name_of(f"https://{host}")
        rule = self._ports.registries().of(name)
        home = self._ports.variable("HOME")
        folders = (*((f"{home}/.config/containers/certs.d",) if home else ()), *FOLDERS)
        found = certificates(name, folders)
        shown = rule.trust if rule.trust.certificate else found
        authorities = (*rule.trust.authorities, *found.authorities)
        trust = replace(rule.trust, authorities=authorities, certificate=shown.certificate, key=shown.key)
        return trust, rule.timeout


def certificates(host: str, folders: tuple[str, ...]) -> Trust:
    """What lies in the first of the folders that knows `host`: *.crt are authorities, a *.cert and the *.key of its name are the
    client's."""
    if "/" in host or host in ("", ".", ".."):
        return Trust()
    for folder in folders:
        own = Path(folder, host)
        if not own.is_dir():
            continue
        with disk_errors(own):
            names = sorted(one.name for one in own.iterdir())
        pairs = [(name, f"{name[:-5]}.key") for name in names if name.endswith(".cert") and f"{name[:-5]}.key" in names]
        certificate, key = pairs[0] if pairs else ("", "")
        return Trust(
            authorities=tuple(str(own / name) for name in names if name.endswith(".crt")),
            certificate=str(own / certificate) if certificate else "",
            key=str(own / key) if key else "",
        )
    return Trust()


def offline(host: str, wanted: str) -> UnavailableError:
    """The error for a request that --offline forbids."""
    return UnavailableError(
        "offline",
        f"{one_line(host)} would have to be asked, and --offline forbids it",
        where=one_line(wanted[:200]),
        next="run it once without --offline: what is needed is then kept",
    )
