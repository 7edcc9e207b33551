"""The hosts that a build asks, on loopback: docker.io and gcr.io with the stand-ins, Go's module proxy and vulnerabilities.

A forward proxy leads there by the hosts' own names, with certificates of an authority that golang's stand-in trusts: so files are
built as they were generated. Nothing in, addresses and the requests for modules out; runs in this process and below it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from urllib.parse import unquote, urlsplit

from tests.support import servers, standins
from tests.support.forward import forward
from wherry.kit.files import atomic_write

REGISTRIES = ("docker.io", "registry-1.docker.io", "gcr.io")
VULNERABILITIES = "vuln.go.dev"
#: What a module proxy may say otherwise tomorrow.
MOVING = ("/list", "/latest", "/@latest")


@dataclass
class Modules:
    """A module proxy: what was published for a test, else what this machine has, else what the machine's own proxy says."""

    upstream: str
    kept: tuple[Path, ...]
    """Folders laid out as a module proxy; what comes from upstream goes into the last."""
    published: list[Path] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Paths, in order."""

    def answer(self, path: str) -> bytes | None:
        name = unquote(path).strip("/")
        self.asked.append(name)
        moving = path.endswith(MOVING)
        for folder in (*self.published, *(() if moving else self.kept)):
            if (folder / name).is_file():
                return (folder / name).read_bytes()
        try:
            with urllib.request.urlopen(f"{self.upstream}{path}", timeout=60) as answer:
                data = bytes(answer.read())
        except OSError:
            return None
        if not moving:
            (self.kept[-1] / name).parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.kept[-1] / name, data)
        return data

    def downloads(self) -> list[str]:
        """The archives that were asked for; forgets all that was asked until now."""
        asked, self.asked[:] = [*self.asked], []
        return [name for name in asked if name.endswith(".zip")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where everything is."""

    registry: str
    """`127.0.0.1:PORT`, without TLS: a mirror of docker.io and gcr.io."""
    proxy: str
    """For HTTPS_PROXY."""
    authority: Path
    """PEM of who vouches for the hosts behind the proxy; its key lies beside it."""
    places: dict[str, int]
    """`HOST:443` as builds ask for it → a port of loopback: a test may add its own."""
    modules: Modules
    shelf: standins.Shelf

    def image(self, part: str) -> str:
        """The stand-in whose reference has `part`, with its digest."""
        (name,) = (name for name in self.shelf.digests if part in name)
        return f"{name}@{self.shelf.digests[name]}"

    @property
    def mirrors(self) -> str:
        """registries.toml for a wherry that reads the stand-ins."""
        return "".join(f'[registry."{host}"]\nmirrors = ["{self.registry}"]\n' for host in ("docker.io", "gcr.io"))


@contextlib.contextmanager
def hub() -> Iterator[Hub]:
    """All of it, over the stand-ins that are kept."""
    shelf = standins.shelf()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.short_folder())
        authority = shelf.authority(folder / "authority")
        modules = _modules()
        names = (*REGISTRIES, VULNERABILITIES, _module_host())
        certificate, key = authority.issue("hub", names=",".join(f"DNS:{name}" for name in names))
        store = shelf.folder / "registry"
        plain = stack.enter_context(servers.docker_registry(keep=store))
        tls = f"tls: {{certificate: {certificate}, key: {key}}}"
        secure = stack.enter_context(servers.docker_registry(keep=store, http=tls))
        context = authority.server("modules", names=",".join(f"DNS:{name}" for name in names))
        port = stack.enter_context(_serving(modules, context))
        proxy = stack.enter_context(forward())
        proxy.places.update({f"{name}:443": port for name in names})
        proxy.places.update({f"{name}:443": int(secure.rpartition(":")[2]) for name in REGISTRIES})
        yield Hub(
            registry=plain,
            proxy=f"http://127.0.0.1:{proxy.port}",
            authority=authority.ca,
            places=proxy.places,
            modules=modules,
            shelf=shelf,
        )


def _modules() -> Modules:
    done = subprocess.run(
        ["go", "env", "GOPROXY", "GOMODCACHE"], cwd="/", capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kept = (Path(done[1], "cache/download"), Path(os.environ["GO_TOOL_CACHE"], "modules"))
    return Modules(upstream=done[0].replace("|", ",").split(",")[0].rstrip("/") + "/", kept=kept)


def _module_host() -> str:
    """Whom the Go in golang's image asks."""
    text = (standins.toolchain()[0] / "go.env").read_text()
    address = next(line.partition("=")[2] for line in text.splitlines() if line.startswith("GOPROXY="))
    return urlsplit(address.split(",")[0]).hostname or ""


@contextlib.contextmanager
def _serving(modules: Modules, context: SSLContext) -> Iterator[int]:
    """The port of a server over TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def do_GET(self) -> None:
            body = modules.answer(self.path.lstrip("/"))
            self.send_response_only(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
