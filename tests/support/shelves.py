"""Every kind of place for contract suites: its keeper, and the digest of what lies there in another tool's eyes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.ports import ports
from tests.support.tools import need
from wherry.model.image import Published
from wherry.oci import media
from wherry.store import place as places
from wherry.store.keeper import Keeper, Ports
from wherry.store.places import at


@dataclass
class Shelf:
    """One kind of place for the suite."""

    text: str
    """As after -o; `{}` is the test's folder or a registry's host."""
    ports: Ports
    look: Callable[[Published], str]
    """The digest of the top document in another tool's eyes."""
    holds_indexes: bool = True
    keeps_digests: bool = True
    gives_layers: bool = True
    counts: bool = True
    """Whether it knows that nothing had to be sent."""
    variables: dict[str, str] = field(default_factory=dict)

    def keeper(self, text: str = "") -> Keeper:
        return at(places.parse(text or self.text), self.ports)


KINDS = (
    "oci",
    "store",
    "oci-archive",
    "docker-archive",
    "docker",
    "fake",
    "docker-daemon",
    "containers-storage",
    "containerd",
)


def shelf_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """The place of that kind for one test."""
    match kind:
        case "oci" | "oci-archive":
            return Shelf(f"{kind}:{tmp_path}/place:one", ports(tmp_path), skopeo, counts=kind == "oci")
        case "docker-archive":
            text = f"docker-archive:{tmp_path}/place.tar:app:one"
            return Shelf(text, ports(tmp_path), skopeo_layout(tmp_path), holds_indexes=False, counts=False)
        case "store":
            return Shelf("store:app:one", ports(tmp_path), skopeo_own(tmp_path))
        case "docker":
            host = request.getfixturevalue("docker_registry")
            return Shelf(f"docker://{host}/{tmp_path.name.lower()}/app:one", ports(tmp_path), skopeo)
        case "fake":
            registry = request.getfixturevalue("fake_host")
            return Shelf(f"docker://{registry}/team/app:one", ports(tmp_path), skopeo)
        case _:
            return engine_shelf(kind, request, tmp_path)


def engine_shelf(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    name = f"{tmp_path.name.lower().replace('_', '-').strip('-')}:one"
    if kind == "docker-daemon":
        variables = {"DOCKER_HOST": request.getfixturevalue("dockerd")}
        return Shelf(f"{kind}:{name}", ports(tmp_path, **variables), docker(variables), keeps_digests=False)
    if kind == "containerd":
        variables = {"CONTAINERD_ADDRESS": request.getfixturevalue("containerd")}
        return Shelf(f"{kind}:{name}", ports(tmp_path, **variables), ctr(variables), counts=False)
    variables = request.getfixturevalue("podman")
    look = podman_digests(variables)
    return Shelf(f"{kind}:{name}", ports(tmp_path, **variables), look, gives_layers=False, counts=False)


def skopeo(published: Published) -> str:
    return raw_digest(published.place)


def skopeo_own(folder: Path) -> Callable[[Published], str]:
    return lambda published: raw_digest(f"oci:{folder}/data/store/1:{published.place.removeprefix('store:')}")


def skopeo_layout(folder: Path) -> Callable[[Published], str]:
    """A docker-archive of ours holds a layout: as an OCI archive it has its digest too. Its other side is read as well."""

    def look(published: Published) -> str:
        assert json.loads(tool("skopeo", "inspect", "--raw", "--config", published.place))["rootfs"]
        return raw_digest(f"oci-archive:{folder}/place.tar:app:one")

    return look


def raw_digest(place: str) -> str:
    """Skopeo finds only OCI manifests by name in a layout; one of Docker's it finds when it is alone there."""
    alone = re.sub(r"^(oci(?:-archive)?:[^:]*):.*", r"\1", place)
    raw = tool("skopeo", "inspect", "--tls-verify=false", "--raw", alone)
    manifest = Path(os.environ["HOME"], "raw-manifest")
    manifest.write_bytes(raw)
    if media.OCI_MANIFEST.encode() in raw and alone != place:
        assert tool("skopeo", "inspect", "--raw", place) == raw
    return tool("skopeo", "manifest-digest", str(manifest)).decode().strip()


def docker(variables: dict[str, str]) -> Callable[[Published], str]:
    def look(published: Published) -> str:
        name = published.place.partition(":")[2]
        need("docker")
        return tool("docker", "image", "inspect", "--format", "{{.Id}}", name, **variables).decode().strip()

    return look


def podman_digests(variables: dict[str, str]) -> Callable[[Published], str]:
    def look(published: Published) -> str:
        name = published.place.partition(":")[2]
        said = json.loads(tool("podman", "image", "inspect", name, **variables))[0]
        digests = {said["Digest"], *(one.rpartition("@")[2] for one in said["RepoDigests"])}
        return str(published.digest) if published.digest in digests else f"one of {digests}"

    return look


def ctr(variables: dict[str, str]) -> Callable[[Published], str]:
    def look(published: Published) -> str:
        name = published.place.partition(":")[2]
        said = tool("ctr", "--address", variables["CONTAINERD_ADDRESS"], "images", "ls", f"name=={name}").decode()
        return said.splitlines()[1].split()[2]

    return look


def tool(*command: str, **variables: str) -> bytes:
    need(command[0])
    program = shutil.which(command[0]) or command[0]
    done = subprocess.run([program, *command[1:]], env=os.environ | variables, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
