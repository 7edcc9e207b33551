"""Where stores put an image, the no-op check finds it: layout, store, registry and Docker. Another image by that name ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.unchanged import Example
from wherry.cache.noop import wire
from wherry.cache.noop.inputs import DockerOutput, Inputs, Output, PodmanOutput, RegistryOutput, in_layout
from wherry.model.image import Built, Published
from wherry.store import own
from wherry.store import place as places
from wherry.store.engine.podman import list_of_images
from wherry.store.keeper import Ports
from wherry.store.places import at

KINDS = ("oci", "store", "docker", "docker-daemon", "containers-storage")
INDEX = Shape(platforms=("linux/amd64", "linux/arm64"), version="1")
SINGLE = Shape(platforms=("linux/amd64",), version="1")


class Shelf:
    """One place; `output` says in the words of the index where the image lies."""

    def __init__(self, kind: str, folder: Path, request: pytest.FixtureRequest) -> None:
        self.kind, self.folder = kind, folder
        self.host = request.getfixturevalue("docker_registry") if kind == "docker" else ""
        self.socket = request.getfixturevalue("dockerd") if kind == "docker-daemon" else ""
        self.podman = request.getfixturevalue("podman") if kind == "containers-storage" else {}
        text = {"oci": f"{folder}/layout:1", "docker": f"//{self.host}/unchanged/app:1"}.get(kind, "unchanged:1")
        self.place = places.parse(f"{kind}:{text}")

    def publish(self, built: Built) -> Published:
        return at(self.place, self.ports()).publish(built)

    def ports(self) -> Ports:
        return ports(self.folder, **({"DOCKER_HOST": self.socket} if self.socket else {}), **self.podman)

    def output(self, built: Built, published: Published) -> Output:
        if self.kind == "docker":
            return RegistryOutput(host=self.host, repository="unchanged/app", tag="1", digest=published.digest)
        if self.kind == "docker-daemon":
            identity = published.renamed or str(published.digest)
            return DockerOutput(socket=self.socket.removeprefix("unix://"), reference="unchanged:1", id=identity)
        if self.kind == "containers-storage":
            file = list_of_images("localhost/unchanged:1", published.digest, self.ports())
            return PodmanOutput(file=file, reference="localhost/unchanged:1", digest=published.digest)
        directory = f"{self.folder}/layout" if self.kind == "oci" else str(own.folder(str(self.folder / "data")))
        name = "1" if self.kind == "oci" else "unchanged:1"
        return in_layout(directory, name, built)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_store_keeps_the_check_finds(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT", 60.0)  # a busy machine is no answer
    shelf, example = Shelf(kind, tmp_path, request), Example(tmp_path / "example")
    shape = SINGLE if kind in ("docker-daemon", "containers-storage") else INDEX
    built = random_image(tmp_path / "layers", seed=1, shape=shape)
    output = shelf.output(built, shelf.publish(built))
    assert example.remember(Inputs(), output) == ""
    assert example.check() == "r"
    shelf.publish(built)
    assert example.check() == "r", "the same image again is no change"
    shelf.publish(random_image(tmp_path / "layers", seed=2, shape=shape))
    assert example.check() is None
