"""Local stand-ins for the images that files name, since no registry can be reached in tests. This machine's Go and Debian's
packages in, a folder out that a registry serves; made once, kept with the tests' other tools.

Each has the original's name, variables, users and folders, an index on top, and a digest that stays while nothing moves. Debian's
release stands for both; of Postgres and Redis the versions are Debian's, and Alpine's `apk` is not there.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.support import debian, layer_writer, servers, standin_layers
from tests.support.certificates import Authority
from tests.support.layer_writer import Blob, LayerWriter
from tests.support.standin_layers import Makings, Recipe
from tests.support.tools import need
from wherry.oci import media

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
NONROOT = {"User": "65532", "WorkingDir": "/home/nonroot", "Env": [PATH, CERTIFICATES]}
ENTRYPOINT = ["docker-entrypoint.sh"]
CREATED = "2026-01-02T03:04:05Z"
YEARS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """One image."""

    reference: str
    """Registry, repository and tag; {go} is the version of this machine's Go."""
    layers: tuple[Recipe, ...]
    config: dict[str, Any] = field(default_factory=dict)
    architectures: tuple[str, ...] = ("amd64",)
    """More than one where nothing in it is for one kind of machine."""


_LAYERS = standin_layers
IMAGES = (
    StandIn(
        reference="docker.io/library/golang:{go}-trixie",
        layers=(_LAYERS.small_debian, _LAYERS.compilers, _LAYERS.go),
        config={
            "Cmd": ["bash"],
            "WorkingDir": "/go",
            "Env": [
                PATH.replace("=", "=/go/bin:/usr/local/go/bin:"),
                *("GOLANG_VERSION={go}", "GOTOOLCHAIN=local", "GOPATH=/go"),
            ],
        },
    ),
    StandIn(
        reference="gcr.io/distroless/static-debian13:nonroot",
        layers=(_LAYERS.distroless,),
        config=NONROOT,
        architectures=("amd64", "arm64"),
    ),
    StandIn(
        reference="gcr.io/distroless/base-debian13:nonroot",
        layers=(_LAYERS.distroless, _LAYERS.c_library),
        config=NONROOT,
    ),
    StandIn(
        reference="docker.io/library/alpine:3", layers=(_LAYERS.alpine,), config={"Cmd": ["/bin/sh"], "Env": [PATH]}
    ),
    StandIn(
        reference="docker.io/library/debian:trixie-slim",
        layers=(_LAYERS.small_debian,),
        config={"Cmd": ["bash"], "Env": [PATH]},
    ),
    StandIn(
        reference="docker.io/library/postgres:18-trixie",
        layers=(_LAYERS.small_debian, _LAYERS.postgres),
        config={
            "Entrypoint": ENTRYPOINT,
            "Cmd": ["postgres"],
            "Env": [f"{PATH}:/usr/lib/postgresql/17/bin", "LANG=C.UTF-8", "PGDATA=/var/lib/postgresql/18/docker"],
            "ExposedPorts": {"5432/tcp": {}},
            "Volumes": {"/var/lib/postgresql": {}},
            "StopSignal": "SIGINT",
        },
    ),
    StandIn(
        reference="docker.io/library/redis:8-trixie",
        layers=(_LAYERS.small_debian, _LAYERS.redis),
        config={
            "Entrypoint": ENTRYPOINT,
            "Cmd": ["redis-server"],
            "Env": [PATH],
            "ExposedPorts": {"6379/tcp": {}},
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
        },
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What was made: nobody writes to it."""

    folder: Path
    """`registry`, which docker-registry serves, and `authority`, which golang's image trusts."""
    digests: dict[str, str]
    """Reference → digest of its index."""

    def authority(self, scratch: Path) -> Authority:
        """Signs for the tests' own servers what builds believe; a copy of it in `scratch`, which is not there yet."""
        return Authority(shutil.copytree(self.folder / "authority", scratch))


@functools.cache
def shelf() -> Shelf:
    """The stand-ins for this machine's Go, made where they are not there yet: about a minute and the network."""
    root, version = toolchain()
    folder = Path(os.environ["GO_TOOL_CACHE"], "standins", f"go{version}-{_key(root)}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            half = folder.with_name(f"{folder.name}.half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            _make(half, root, version)
            half.rename(folder)
    return Shelf(folder=folder, digests=json.loads((folder / "digests.json").read_text()))


def toolchain() -> tuple[Path, str]:
    """GOROOT and version of the Go of this machine."""
    need("go")
    done = subprocess.run(
        ["go", "env", "GOROOT", "GOVERSION"], cwd="/", capture_output=True, text=True, check=True
    ).stdout.split()
    return Path(done[0]), done[1].removeprefix("go")


def _key(root: Path) -> str:
    """Moves with all that decides what is in them, but Debian's own updates."""
    sources = (Path(__file__), *(Path(str(one.__file__)) for one in (debian, layer_writer, standin_layers)))
    files = (*sources, *sorted(standin_layers.SCRIPTS.iterdir()), root / "VERSION")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _make(folder: Path, root: Path, version: str) -> None:
    """Layers one after the other, images over them, all of it into a registry."""
    makings = Makings(
        archives=debian.archives(*standin_layers.PACKAGES),
        goroot=root,
        authority=Authority(folder / "authority", days=YEARS).ca.read_bytes(),
    )
    blobs = folder / "blobs"
    blobs.mkdir()
    made = {recipe: _layer(recipe, makings, blobs) for image in IMAGES for recipe in image.layers}
    digests = {}
    with servers.docker_registry(keep=folder / "registry") as host:
        for image in IMAGES:
            name = image.reference.format(go=version)
            config = json.loads(json.dumps(image.config).replace("{go}", version))
            digests[name] = _push(host, name, _manifests(image, config, [made[one] for one in image.layers]), blobs)
    shutil.rmtree(blobs)
    (folder / "digests.json").write_text(json.dumps(digests, indent=2))


def _layer(recipe: Recipe, makings: Makings, blobs: Path) -> Blob:
    writer = LayerWriter(blobs)
    recipe(writer, makings)
    return writer.finish()


def _manifests(image: StandIn, config: dict[str, Any], layers: list[Blob]) -> list[tuple[bytes, bytes, str]]:
    """Manifest, configuration and architecture, one an architecture."""
    rows = [{"mediaType": media.OCI_LAYER_GZIP, "digest": one.digest, "size": one.size} for one in layers]
    found = []
    for architecture in image.architectures:
        settings = _json(
            architecture=architecture,
            os="linux",
            created=CREATED,
            config=config,
            rootfs={"type": "layers", "diff_ids": [one.diff_id for one in layers]},
            history=[{"created": CREATED, "created_by": "stand-in"} for _ in layers],
        )
        manifest = _json(
            schemaVersion=2,
            mediaType=media.OCI_MANIFEST,
            config=_descriptor(media.OCI_CONFIG, settings),
            layers=rows,
        )
        found.append((manifest, settings, architecture))
    return found


def _push(host: str, reference: str, manifests: list[tuple[bytes, bytes, str]], blobs: Path) -> str:
    """The digest of the index that was sent, with all below it."""
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    rows = []
    for manifest, settings, architecture in manifests:
        for layer in json.loads(manifest)["layers"]:
            _send(host, repository, (blobs / layer["digest"].removeprefix("sha256:")).read_bytes())
        _send(host, repository, settings)
        row = _descriptor(media.OCI_MANIFEST, manifest)
        _put(f"http://{host}/v2/{repository}/manifests/{row['digest']}", manifest, media.OCI_MANIFEST)
        rows.append(row | {"platform": {"architecture": architecture, "os": "linux"}})
    index = _json(schemaVersion=2, mediaType=media.OCI_INDEX, manifests=rows)
    _put(f"http://{host}/v2/{repository}/manifests/{tag}", index, media.OCI_INDEX)
    return str(_descriptor(media.OCI_INDEX, index)["digest"])


def _send(host: str, repository: str, data: bytes) -> None:
    """A blob in one request (distribution-spec, pushing a blob monolithically)."""
    request = urllib.request.Request(f"http://{host}/v2/{repository}/blobs/uploads/", method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        place = answer.headers["Location"]
    digest = urllib.parse.quote(f"sha256:{hashlib.sha256(data).hexdigest()}")
    _put(f"{place}{'&' if '?' in place else '?'}digest={digest}", data, "application/octet-stream")


def _put(address: str, data: bytes, media_type: str) -> None:
    request = urllib.request.Request(address, data, {"Content-Type": media_type}, method="PUT")
    with urllib.request.urlopen(request, timeout=600) as answer:
        assert answer.status == 201, address


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def _json(**members: object) -> bytes:
    return json.dumps(members).encode()
