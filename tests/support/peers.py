"""Real registries of other projects. A kind in, `127.0.0.1:PORT` of a running one out; builds those that no package has.

cuelabs has the referrers API; Debian's docker-registry 2.8, distribution 3 and crane's have not.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support import servers
from tests.support.tools import crane, go_tool, need

KINDS = ("docker-registry", "cuelabs", "crane", "distribution")
WITH_REFERRERS = ("cuelabs",)
CUELABS = "cuelabs.dev/go/oci/ociregistry@v0.0.0-20251212221603-3adeb8663819"
MAIN = """package main

import (
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	http.ListenAndServe(os.Args[1], ociserver.New(ocimem.New(), nil))
}
"""


@contextlib.contextmanager
def peer(kind: str) -> Iterator[str]:
    """A registry of that kind, empty, on loopback."""
    need("go")
    if kind == "docker-registry":
        with servers.docker_registry() as host:
            yield host
        return
    address = f"127.0.0.1:{servers.free_port()}"
    with servers.short_folder() as folder:
        command = _command(kind, address, folder)
        with servers.running(command, folder, lambda: servers.answers(f"http://{address}/v2/")):
            yield address


def _command(kind: str, address: str, folder: Path) -> list[str]:
    if kind == "crane":
        return [crane(), "registry", "serve", "--address", address]
    if kind == "cuelabs":
        return [_cuelabs(folder), address]
    module = "github.com/distribution/distribution/v3"
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}, "
        f"delete: {{enabled: true}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    return [go_tool(f"{module}@v3.1.2", f"{module}/cmd/registry"), "serve", str(config)]


def _cuelabs(folder: Path) -> str:
    """Built in its own module: cuelabs is a library."""
    source = folder / "source"
    source.mkdir()
    (source / "main.go").write_text(MAIN)
    for words in (["mod", "init", "peer"], ["get", CUELABS], ["build", "-mod=mod", "-trimpath", "-o", "peer", "."]):
        done = subprocess.run(["go", *words], cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return str(source / "peer")
