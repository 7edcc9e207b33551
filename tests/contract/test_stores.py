"""One suite over every place: what is published is found again, by wherry and by another tool, under the same digest."""

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
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.ports import HOST, ports
from tests.support.registry import fake_registry
from tests.support.tools import need
from wherry.errors import UsageError
from wherry.model.image import Built, Published
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


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    kind = request.param
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
            registry = request.getfixturevalue("registry")
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


@pytest.fixture
def registry() -> object:
    with fake_registry() as state:
        yield state.host


SHAPES = {
    "gzip": Shape(),
    "zstd": Shape(compression="zstd"),
    "plain": Shape(compression="none"),
    "docker": Shape(format="docker"),
    "no layers": Shape(layers=0),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_image_is_found_again(shelf: Shelf, shape: Shape, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=1, shape=shape)
    published = shelf.keeper().publish(built)
    assert published.digest == built.digest
    assert published.sent > 0
    if shelf.keeps_digests:
        assert (published.renamed, published.reference.partition("@")[2]) == ("", built.digest)
        has_layout = shape.compression != "zstd" or not shelf.text.startswith("docker-archive:")
        assert not has_layout or shelf.look(published) == built.digest
    else:
        assert shelf.look(published) == published.renamed == built.images[0].config.digest
    if shape.layers or shelf.keeps_digests:  # Docker 20.10 cannot save an image without layers
        check_documents(shelf, published, built, shape)


def check_documents(shelf: Shelf, published: Published, built: Built, shape: Shape) -> None:
    stored = shelf.keeper(published.place).open()
    image, original = stored.images[0], built.images[0]
    assert image.config.data == original.config.data
    assert image.platform == original.platform
    unpacks = shape.compression == "zstd" and shelf.text.startswith("docker-archive:")
    if shelf.keeps_digests and not unpacks:
        assert stored.descriptor.digest == built.digest
        assert image.manifest.data == original.manifest.data
    if shelf.gives_layers and image.layers and not (unpacks or not shelf.keeps_digests):
        got = b"".join(shelf.keeper(published.place).blob(image.layers[0]))
        assert got == Path(original.layers[0].file).read_bytes()


def test_an_index_is_kept_whole_or_refused(shelf: Shelf, tmp_path: Path) -> None:
    shape = Shape(platforms=("linux/arm64", "linux/amd64", "linux/arm/v7"))
    built = random_image(tmp_path / "layers", seed=2, shape=shape)
    if not shelf.holds_indexes:
        with pytest.raises(UsageError, match="one platform") as caught:
            shelf.keeper().publish(built)
        assert caught.value.name == "one-platform"
        assert any("--platform linux/arm64" in step for step in caught.value.next)
        return
    published = shelf.keeper().publish(built)
    stored = shelf.keeper(published.place).open()
    is_engine = "daemon" in shelf.text or "contain" in shelf.text
    if not shelf.keeps_digests:
        here = next(image for image in built.images if image.platform == HOST)
        assert shelf.look(published) == here.config.digest
        return
    assert shelf.look(published) == built.digest
    found = [image.digest for image in stored.images]
    assert found == [image.digest for image in built.images if image.platform == HOST or not is_engine]


def test_publishing_again_sends_nothing(shelf: Shelf, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=3)
    first = shelf.keeper().publish(built)
    second = shelf.keeper().publish(built)
    assert (second.reference, second.digest) == (first.reference, first.digest)
    assert not shelf.counts or second.sent == 0


def test_a_tag_moves_to_the_new_image(shelf: Shelf, tmp_path: Path) -> None:
    shelf.keeper().publish(random_image(tmp_path / "layers", seed=4))
    second = random_image(tmp_path / "layers", seed=5)
    published = shelf.keeper().publish(second)
    assert shelf.keeper(published.place).open().images[0].config.data == second.images[0].config.data


def test_every_reference_is_a_name(shelf: Shelf, tmp_path: Path) -> None:
    """-t names go with the image where the place has names of its own; a layout or registry place says the tag itself."""
    references = ("reg.example:5000/team/app:7", "reg.example/other:8")
    built = random_image(tmp_path / "layers", seed=6, shape=Shape(references=references))
    scheme, _, rest = shelf.text.partition(":")
    if scheme in ("oci", "oci-archive", "docker"):
        name = rest.removeprefix("//") if scheme == "docker" else "reg.example:5000/team/app:one"
        assert shelf.keeper().publish(built).reference == f"{name}@{built.digest}"
        return
    text = f"docker-archive:{tmp_path}/place.tar" if scheme == "docker-archive" else f"{scheme}:"
    assert "reg.example:5000/team/app:7" in shelf.keeper(text).publish(built).reference
    for reference in references:
        opened = f"{text}:{reference}" if scheme == "docker-archive" else f"{scheme}:{reference}"
        assert shelf.keeper(opened).open().images[0].config.data == built.images[0].config.data


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


def test_a_name_without_a_tag_is_latest(shelf: Shelf, tmp_path: Path) -> None:
    """Where a person wrote it; the image's own name goes with its version."""
    built = random_image(tmp_path / "layers", seed=7)
    untagged = shelf.text.removesuffix(":one")
    if untagged.startswith(("oci:", "oci-archive:")):
        built = replace(built, references=("app",))
    published = shelf.keeper(untagged).publish(built)
    assert published.reference.partition("@")[0].endswith(":latest")
    assert shelf.keeper(untagged).open().images[0].config.data == built.images[0].config.data
