"""Today's BuildKit without an engine around it: buildkitd and buildctl, built from source. A hub in, daemons that build
through it out; needs root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import servers
from tests.support.buildkit import Log
from tests.support.hub import Hub
from tests.support.tools import go_tool, need

MODULE = "github.com/moby/buildkit"
VERSION = "v0.32.2"
CONFIG = """root = "{folder}/root"
[grpc]
address = ["unix://{folder}/b.sock"]
[worker.oci]
enabled = true
snapshotter = "overlayfs"
networkMode = "host"
[worker.containerd]
enabled = false
[registry."{registry}"]
http = true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A running buildkitd."""

    address: str
    hub: Hub

    def build(self, context: Path, file: Path, *words: str, **arguments: str) -> Log:
        """`buildctl build WORDS` with build arguments; a warning of BuildKit's own checks is an error."""
        told = {"HTTPS_PROXY": self.hub.proxy, "BUILDKIT_DOCKERFILE_CHECK": "error=true", **arguments}
        command = [buildctl(), "--addr", self.address, "build", "--progress=plain", "--frontend=dockerfile.v0"]
        command += [f"--local=context={context}", f"--local=dockerfile={file.parent}", f"--opt=filename={file.name}"]
        command += [f"--opt=build-arg:{name}={text}" for name, text in told.items()]
        done = subprocess.run(
            [*command, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=1800, check=False,
        )  # fmt: skip
        return Log(code=done.returncode, text=done.stdout)


def buildctl() -> str:
    return go_tool(f"{MODULE}@{VERSION}", f"{MODULE}/cmd/buildctl")


@contextlib.contextmanager
def buildkitd(hub: Hub, registry: str) -> Iterator[Daemon]:
    """A daemon that has nothing yet, and reaches `registry` without TLS."""
    need("runc")
    servers.need_root()
    program = go_tool(f"{MODULE}@{VERSION}", f"{MODULE}/cmd/buildkitd")
    with servers.short_folder() as folder:
        config = folder / "buildkitd.toml"
        config.write_text(CONFIG.format(folder=folder, registry=registry))
        through = {"HTTPS_PROXY": hub.proxy, "SSL_CERT_FILE": str(hub.authority)}
        socket = folder / "b.sock"
        with servers.running([program, "--config", str(config)], folder, lambda: servers.listens(socket), **through):
            yield Daemon(address=f"unix://{socket}", hub=hub)
