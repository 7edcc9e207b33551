"""Images between layouts and registries, by wherry and its rivals. A Workshop in, races out; makes images, starts a proxy.

Layers are of random bytes, so nobody gains by compressing them. A fresh push goes to a repository that nobody has seen, into a
registry that knows none of the blobs.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.race import Contender, Race
from bench.registry import get
from bench.sample import Call
from bench.workshop import PROJECT, Workshop, go_tool, wherry_program
from wherry.oci.digest import of_bytes

GGCR = "github.com/google/go-containerregistry"
MB = 1_000_000
LAYERS = 3
PLATFORMS = 12
DELAY = 30
TOOLS = ("wherry", "crane", "skopeo")
#: What travels, and how many milliseconds away the registry is.
PUSHED = (("30 MB", 30 * MB, 0), ("300 MB", 300 * MB, 0), ("300 MB, 30 ms away", 300 * MB, DELAY))
NEAR_AND_FAR = (("300 MB", 300 * MB, 0), ("300 MB, 30 ms away", 300 * MB, DELAY))
INDEX = (("12 platforms", 24 * MB, 0), ("12 platforms, 30 ms away", 24 * MB, DELAY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One tool with one image and one registry."""

    shop: Workshop
    tool: str
    layout: Path
    host: str
    numbers: Iterator[int]

    def repository(self) -> str:
        """A name that was never used."""
        return f"bench/{self.tool}-{next(self.numbers)}"

    def call(self, *argv: str) -> Call:
        return Call(argv=argv, directory=str(self.shop.root), environment=tuple(self.shop.environment.items()))

    def push(self, repository: str) -> Call:
        target = f"{self.host}/{repository}:1"
        return self.call(
            *{
                "wherry": (wherry_program(), "copy", f"oci:{self.layout}:1", f"docker://{target}"),
                "crane": (crane(), "push", str(self.layout), target),
                "skopeo": (
                    skopeo(),
                    "copy",
                    "-q",
                    "--dest-tls-verify=false",
                    f"oci:{self.layout}:1",
                    f"docker://{target}",
                ),
            }[self.tool]
        )

    def pull(self, repository: str, folder: Path) -> Call:
        source = f"{self.host}/{repository}:1"
        return self.call(
            *{
                "wherry": (wherry_program(), "copy", f"docker://{source}", f"oci:{folder}:1"),
                "crane": (crane(), "pull", "--format=oci", source, str(folder)),
                "skopeo": (skopeo(), "copy", "-q", "--src-tls-verify=false", f"docker://{source}", f"oci:{folder}:1"),
            }[self.tool]
        )

    def copy(self, repository: str, target: str) -> Call:
        source, target = f"{self.host}/{repository}:1", f"{self.host}/{target}:1"
        flags = ("copy", "-q", "--all", "--src-tls-verify=false", "--dest-tls-verify=false")
        return self.call(
            *{
                "wherry": (wherry_program(), "copy", f"docker://{source}", f"docker://{target}"),
                "crane": (crane(), "copy", source, target),
                "skopeo": (skopeo(), *flags, f"docker://{source}", f"docker://{target}"),
            }[self.tool]
        )


@functools.cache
def crane() -> str:
    return go_tool(f"{GGCR}@v0.22.1", f"{GGCR}/cmd/crane")


def skopeo() -> str:
    return shutil.which("skopeo") or ""


def fresh_push(trip: Trip) -> Contender:
    """Each run pushes an image of its own: skopeo remembers for ever where it has seen a blob, and would only mount it."""
    last, own = "", replace(trip, layout=trip.layout.with_name(f"{trip.layout.name}-{trip.tool}"))
    weight = sum(file.stat().st_size for file in trip.layout.rglob("sha256/*"))

    def ready(_: int) -> None:
        shutil.rmtree(own.layout, ignore_errors=True)
        write_layout(own.layout, weight, 1)

    def calls() -> tuple[Call, ...]:
        nonlocal last
        last = own.repository()
        return (own.push(last),)

    return Contender(tool=trip.tool, calls=calls, ready=ready, look=lambda: size(trip.host, last))


def same_push(trip: Trip) -> Contender:
    """The first run, which is not counted, is the one that sends."""
    name = trip.repository()
    return Contender(tool=trip.tool, calls=lambda: (trip.push(name),), look=lambda: size(trip.host, name))


def pull(trip: Trip) -> Contender:
    name, folder = published(trip), trip.shop.root / "pulled" / trip.tool

    def ready(_: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(Path(trip.shop.environment["HOME"]) / ".cache", ignore_errors=True)

    def look() -> int:
        return sum(file.stat().st_size for file in folder.rglob("sha256/*"))

    folder.parent.mkdir(exist_ok=True)
    return Contender(tool=trip.tool, calls=lambda: (trip.pull(name, folder),), ready=ready, look=look)


def copy(trip: Trip) -> Contender:
    """Within one registry, from one repository to a new one."""
    name, last = published(trip), ""

    def calls() -> tuple[Call, ...]:
        nonlocal last
        last = trip.repository()
        return (trip.copy(name, last),)

    return Contender(tool=trip.tool, calls=calls, look=lambda: size(trip.host, last))


KINDS: dict[str, tuple[Callable[[Trip], Contender], tuple[tuple[str, int, int], ...]]] = {
    "push-fresh": (fresh_push, PUSHED),
    "push-same": (same_push, NEAR_AND_FAR),
    "copy-index": (copy, INDEX),
    "pull": (pull, NEAR_AND_FAR),
}


def races(shop: Workshop, name: str, rounds: int) -> Iterator[Race]:
    """One race for each image and distance of the scenario. The proxy lives as long as the race is looked at."""
    make, rows = KINDS[name]
    for title, weight, delay in rows:
        layout = made(shop, weight, PLATFORMS if name == "copy-index" else 1)
        with distance(shop, delay) as host:
            groups = tuple(
                (make(Trip(shop=shop, tool=tool, layout=layout, host=host, numbers=numbers(name, title))),)
                for tool in TOOLS
                if tool != "skopeo" or skopeo()
            )
            yield Race(scenario=name, app=title, groups=groups, rounds=rounds)


def numbers(name: str, title: str) -> Iterator[int]:
    """Numbers that no other race of this run has."""
    return itertools.count(1000 * (1 + list(KINDS).index(name) * 10 + [row[0] for row in KINDS[name][1]].index(title)))


@contextlib.contextmanager
def distance(shop: Workshop, delay: int) -> Iterator[str]:
    """The registry's host and port, or those of a proxy that makes it far."""
    if not delay:
        yield shop.registry
        return
    argv = (sys.executable, "-m", "bench.delay", shop.registry, str(delay))
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        try:
            yield f"localhost:{int(proxy.stdout.readline())}"
        finally:
            proxy.terminate()


def published(trip: Trip) -> str:
    """The repository of an image that was put there before."""
    name = trip.repository()
    argv = (wherry_program(), "copy", f"oci:{trip.layout}:1", f"docker://{trip.shop.registry}/{name}:1")
    subprocess.run(argv, env=trip.shop.environment, check=True, capture_output=True)
    return name


def size(host: str, repository: str) -> int:
    """Bytes of all layers; KeyError or RegistryError when the image is not there whole."""
    top = json.loads(get(host, repository, "manifests", "1"))
    children = [row["digest"] for row in top.get("manifests", ())]
    images = [json.loads(get(host, repository, "manifests", digest)) for digest in children] or [top]
    return sum(layer["size"] for image in images for layer in image["layers"])


def made(shop: Workshop, weight: int, platforms: int) -> Path:
    """A layout with one image of `weight` bytes under the name 1, or an index over several; made when first asked for."""
    folder = shop.root / f"layout-{weight}-{platforms}"
    if not folder.exists():
        write_layout(folder, weight, platforms)
    return folder


def write_layout(folder: Path, weight: int, platforms: int) -> None:
    """Random layers, and documents around them."""
    (folder / "blobs/sha256").mkdir(parents=True)
    entries = [image(folder, weight // platforms, number) for number in range(platforms)]
    if platforms > 1:
        kind = "application/vnd.oci.image.index.v1+json"
        entries = [stored(folder, {"schemaVersion": 2, "mediaType": kind, "manifests": entries})]
    named = entries[0] | {"annotations": {"org.opencontainers.image.ref.name": "1"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def image(folder: Path, weight: int, number: int) -> dict[str, object]:
    """The descriptor of an image whose layers no other image has. They are no tars: nobody here looks into them."""
    layers, kind = [], "application/vnd.oci.image.{}+json"
    for _ in range(LAYERS):
        data = os.urandom(weight // LAYERS)
        (folder / "blobs" / of_bytes(data).path).write_bytes(data)
        layers.append(
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": of_bytes(data), "size": len(data)}
        )
    platform = {"architecture": "amd64", "os": "linux", "os.version": str(number)}
    ids = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
    config = stored(folder, {**platform, "mediaType": kind.format("config.v1"), "rootfs": ids}, keep=False)
    config["mediaType"] = kind.format("config.v1")
    document = {"schemaVersion": 2, "mediaType": kind.format("manifest.v1"), "config": config, "layers": layers}
    return stored(folder, document) | {"platform": platform}


def stored(folder: Path, document: dict[str, object], *, keep: bool = True) -> dict[str, object]:
    """Writes the document; its descriptor. Without `keep` its media type is not part of it."""
    data = json.dumps({key: value for key, value in document.items() if keep or key != "mediaType"}).encode()
    (folder / "blobs" / of_bytes(data).path).write_bytes(data)
    return {"mediaType": document["mediaType"], "digest": of_bytes(data), "size": len(data)}
