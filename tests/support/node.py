"""Images and generated files on a real kubelet: built and written by `wherry`, as a user would, and applied. A folder in, a
node out; needs root."""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import cluster as kubernetes
from tests.support.callers import ready
from tests.support.cli import wherry
from tests.support.cluster import Cluster, wait
from tests.support.examples import commit

SPACE = "shop"
PAUSE = """package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, os.Interrupt)
	<-asked
}
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A cluster that runs pods, and how images and files come to it."""

    cluster: Cluster
    socket: Path
    home: Path

    def wherry(self, *words: str | Path, cwd: Path) -> str:
        variables = {"CONTAINERD_ADDRESS": str(self.socket), "CONTAINERD_NAMESPACE": "k8s.io"}
        done = wherry(*words, home=self.home, cwd=cwd, **variables)
        assert done.code == 0, done.stderr
        return done.stdout

    def put(self, place: str, name: str) -> str:
        """An image into containerd, under `NAME:1` and by its digest, which is returned."""
        said = self.wherry("copy", place, f"containerd:{name}:1", cwd=self.home)
        digest = said.strip().rpartition("@")[2]
        self.ctr("images", "tag", f"{name}:1", f"{name}@{digest}")
        return digest

    def ctr(self, *words: str) -> str:
        command = ["ctr", "--namespace", "k8s.io", "--address", str(self.socket), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def deploy(self, root: Path, package: str, digest: str, *settings: str) -> str:
        """Writes the files of a program of the repository, whose image is `localhost/NAME`, and applies them. Its name."""
        name = Path(package).name if package != "." else root.name
        lines = (f'image = "localhost/{name}"', *settings)
        with (root / "wherry.toml").open("a") as file:
            file.write("\n".join(("", "[generate]", *lines, "")))
        self.wherry("generate", "kubernetes", package, "--digest", digest, "--offline", cwd=root)
        self.cluster.done("-n", SPACE, "apply", "-f", str(root / "deploy"))
        return name

    def rolled_out(self, name: str) -> float:
        """Seconds until all its pods are ready."""
        start = time.monotonic()
        self.cluster.done("-n", SPACE, "rollout", "status", f"deployment/{name}", "--timeout=120s")
        return time.monotonic() - start

    def pods(self, name: str, *, leaving: bool = False) -> list[dict[str, Any]]:
        """Its pods; `leaving`: those, too, that are being taken away."""
        found = self.cluster.get("-n", SPACE, "pods", "-l", f"app.kubernetes.io/name={name}")["items"]
        return [one for one in found if leaving or "deletionTimestamp" not in one["metadata"]]

    def names(self, name: str, *, leaving: bool = False) -> set[str]:
        return {one["metadata"]["name"] for one in self.pods(name, leaving=leaving)}

    def ready(self, name: str) -> tuple[str, ...]:
        return ready(self.cluster, SPACE, name)

    def get(self, name: str, port: int, path: str) -> str:
        """What one of its pods answers, maybe nothing; with 200, or it fails."""
        wait(lambda: self.ready(name), what=f"{name} is ready")
        with urllib.request.urlopen(f"http://{self.ready(name)[0]}:{port}{path}", timeout=20) as response:
            assert response.status == 200
            return str(response.read().decode().strip())

    def processes(self, program: str) -> list[int]:
        """Ids, on this machine, of what runs a program of an image."""
        pids = [int(line.split()[1]) for line in self.ctr("tasks", "ls").splitlines()[1:]]
        return [pid for pid in pids if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(f"/app/{program}".encode())]

    def gone(self, name: str) -> None:
        self.cluster.done("-n", SPACE, "delete", "deployment,hpa,pdb,service,networkpolicy", name, "--ignore-not-found")


@contextlib.contextmanager
def running(home: Path) -> Iterator[Node]:
    """An empty node with the namespace SPACE."""
    with kubernetes.control_plane() as cluster, kubernetes.node(cluster) as socket:
        made = Node(cluster=cluster, socket=socket, home=home)
        source = home / "pause"
        source.mkdir()
        (source / "go.mod").write_text("module example.com/pause\n\ngo 1.24\n")
        (source / "main.go").write_text(PAUSE)
        commit(source)
        made.wherry("build", "-o", "oci:pause.oci", cwd=source)
        made.put(f"oci:{source}/pause.oci", "localhost/pause")
        cluster.namespace(SPACE)
        yield made
