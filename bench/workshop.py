"""Where a run of the bench works: its folders, environments and services. Runs go, starts services."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import services
from bench.apps import App, apply_edit, copy_source
from bench.images import push_base
from bench.services import Engine
from wherry.oci.platform import ALIASES

PROJECT = Path(__file__).resolve().parent.parent
#: Where modules come from is the user's; everything else of Go's settings is the bench's, for every tool the same.
KEPT = ("GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOTOOLCHAIN")
KO = "github.com/google/ko"
KO_VERSION = "v0.19.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every tool is given. `environment` is that of measured commands: nothing of the user's, and no network."""

    root: Path
    run: str
    environment: dict[str, str]
    online: dict[str, str]
    """The same with the user's module proxy, for what is prepared."""
    cache: Path
    """GOCACHE of all tools on the host, kept from run to run of the bench."""
    platform: str
    registry: str
    base: str
    """The base image by digest."""
    base_tar: Path
    go: str
    ko: str
    docker: Engine
    buildah: Engine

    @property
    def log(self) -> Path:
        return self.root / "log"

    def source(self, app: App, tool: str) -> Path:
        """The tool's own copy of the app, made when first asked for."""
        folder = self.root / "source" / app.name / tool
        if not folder.exists():
            copy_source(app, folder, self.online)
        return folder

    def out(self, app: App, tool: str) -> Path:
        """A folder for what the tool makes of the app."""
        folder = self.root / "out" / app.name / tool
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextlib.contextmanager
def open_workshop(*, engines: bool) -> Iterator[Workshop]:
    """A fresh Workshop; all that it started is ended and all that it made is removed, but for the kept caches."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wherry-dev/bench"
    kept.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="run-", dir=kept))
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(services.unmount, root)
            registry = stack.enter_context(services.registry(root / "registry"))
            docker = stack.enter_context(services.dockerd(root / "docker", wanted=engines))
            buildah = services.buildah(root / "containers", wanted=engines)
            online, environment = environments(root, kept / "gocache")
            reference, tar = push_base(registry, root)
            yield Workshop(
                root=root,
                run=secrets.token_hex(4),
                environment=environment,
                online=online,
                cache=kept / "gocache",
                platform="linux/" + ALIASES.get(os.uname().machine, os.uname().machine),
                registry=registry,
                base=reference,
                base_tar=tar,
                go=shutil.which("go") or "go",
                ko=go_tool(f"{KO}@{KO_VERSION}", KO),
                docker=docker,
                buildah=buildah,
            )
    finally:
        shutil.rmtree(root, ignore_errors=True)


def environments(root: Path, cache: Path) -> tuple[dict[str, str], dict[str, str]]:
    """For preparing, and for measuring."""
    said = subprocess.run(["go", "env", "-json", *KEPT], check=True, capture_output=True, cwd=root).stdout
    settings = {name: value for name, value in json.loads(said).items() if value}
    fixed = {"GOENV": "off", "GOCACHE": str(cache), "GOWORK": ""}
    removed = ("PYTHONDONTWRITEBYTECODE", "GOFLAGS", "GOOS", "GOARCH", "GOROOT", "CGO_ENABLED", "GOEXPERIMENT")
    inherited = {name: value for name, value in os.environ.items() if name not in removed}
    home = root / "home"
    home.mkdir()
    alone = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GOPROXY": "off"}
    return inherited | settings | fixed, settings | fixed | alone


def go_tool(module: str, package: str) -> str:
    """Where the tool is, built first if need be."""
    tool = subprocess.run([PROJECT / "scripts/go-tool", module, package], check=True, stdout=subprocess.PIPE, text=True)
    return tool.stdout.strip()


def edit(shop: Workshop, app: App, tool: str, number: str) -> None:
    """Changes the one line in the tool's copy to what no other copy ever said, so that no cache knows it."""
    apply_edit(shop.source(app, tool), app, f"{shop.run}-{tool}-{number}")


def wherry_program() -> str:
    """The program as its users install it: `bench/run` makes an environment without the developers' tools."""
    return str(PROJECT / ".venv/user/bin/wherry")
