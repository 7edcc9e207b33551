"""Images that other tools made, read by wherry: the same platforms, layers and digests as those tools see; and as bases."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.bases import read_base
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.tools import need
from wherry.errors import CorruptError, UsageError, WherryError
from wherry.model.image import Built, Stored
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import of_bytes
from wherry.oci.platform import parse as platform
from wherry.store import place as places
from wherry.store.places import at

THREE = Shape(platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"))


def tool(*command: str) -> bytes:
    need(command[0])
    program = shutil.which(command[0]) or command[0]
    done = subprocess.run([program, *command[1:]], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def original(folder: Path, shape: Shape = Shape(), seed: int = 1) -> tuple[Built, str]:  # noqa: B008 - immutable
    """An image in a layout of ours, and its place."""
    built = random_image(folder / "layers", seed=seed, shape=shape)
    place = f"oci:{folder}/ours:1"
    at(places.parse(place), ports(folder)).publish(built)
    return built, place


def read(place: str, folder: Path) -> Stored:
    return at(places.parse(place), ports(folder)).open()


def test_a_layout_by_skopeo(tmp_path: Path) -> None:
    built, place = original(tmp_path, THREE)
    tool("skopeo", "copy", "--quiet", "--multi-arch", "all", place, f"oci:{tmp_path}/theirs:latest")
    found = read(f"oci:{tmp_path}/theirs", tmp_path)
    assert found.descriptor.digest == built.digest
    assert [str(image.platform) for image in found.images] == list(THREE.platforms)
    assert [image.config for image in found.images] == [image.config for image in built.images]


def test_other_tools_entries_stay(tmp_path: Path) -> None:
    """Ours is added to a layout of skopeo's; its image, and members of index.json that we do not know, stay as they are."""
    theirs, place = original(tmp_path, seed=1)
    tool("skopeo", "copy", "--quiet", place, f"oci:{tmp_path}/shared:theirs")
    index = tmp_path / "shared/index.json"
    changed = json.loads(index.read_bytes()) | {"x-unknown": {"kept": [1, 2.50]}}
    changed["manifests"][0]["x-also"] = "kept"
    changed["manifests"].append(changed["manifests"][0] | {"annotations": {"no": "name"}})
    index.write_text(json.dumps(changed))
    ours = random_image(tmp_path / "layers", seed=2)
    at(places.parse(f"oci:{tmp_path}/shared:ours"), ports(tmp_path)).publish(ours)
    now = json.loads(index.read_bytes())
    assert now["manifests"][:2] == changed["manifests"]
    assert now["x-unknown"] == {"kept": [1, 2.50]}
    assert read(f"oci:{tmp_path}/shared:theirs", tmp_path).descriptor.digest == theirs.digest
    assert tool("skopeo", "inspect", "--raw", f"oci:{tmp_path}/shared:theirs") == theirs.images[0].manifest.data
    assert tool("skopeo", "inspect", "--raw", f"oci:{tmp_path}/shared:ours") == ours.images[0].manifest.data


@pytest.mark.parametrize("shape", [Shape(), Shape(layers=4), Shape(format="docker")], ids=["two", "four", "docker"])
@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_archives_by_skopeo(kind: str, shape: Shape, tmp_path: Path) -> None:
    built, _ = original(tmp_path, shape)
    place = f"{kind}:{tmp_path}/theirs.tar:app:1"
    tool("skopeo", "copy", "--quiet", f"oci:{tmp_path}/ours", place)
    found = read(f"{kind}:{tmp_path}/theirs.tar", tmp_path)
    assert found.images[0].settings.rootfs == settings(built)
    assert len(found.images[0].layers) == shape.layers
    if kind == "docker-archive":
        assert [finding.name for finding in found.findings] == ["made-manifest"]
    keeper = at(places.parse(f"{kind}:{tmp_path}/theirs.tar"), ports(tmp_path))
    for layer in found.images[0].layers:
        assert of_bytes(b"".join(keeper.blob(layer))) == layer.digest


def settings(built: Built) -> object:
    from wherry.oci.config import Config
    from wherry.oci.descriptor import decode

    return decode(built.images[0].config.data, Config, name="config").rootfs


def test_a_tarball_by_crane(tmp_path: Path, docker_registry: str) -> None:
    built = random_image(tmp_path / "layers", seed=1)
    name = f"{docker_registry}/{tmp_path.name.lower()}:1"
    at(places.parse(f"docker://{name}"), ports(tmp_path)).publish(built)
    for form in ("tarball", "oci"):
        tool("crane", "pull", "--format", form, name, str(tmp_path / form))
    found = read(f"docker-archive:{tmp_path}/tarball", tmp_path)
    assert [layer.digest for layer in found.images[0].layers] == [layer.digest for layer in built.images[0].layers]
    assert read(f"docker-archive:{tmp_path}/tarball:{name}", tmp_path).images == found.images
    assert read(f"oci:{tmp_path}/oci", tmp_path).descriptor.digest == built.digest


def test_an_image_that_podman_does_not_have(podman: dict[str, str], tmp_path: Path) -> None:
    need("skopeo")
    with pytest.raises(UsageError, match=r"podman has no image localhost/nothing:1"):
        at(places.parse("containers-storage:nothing:1"), ports(tmp_path, **podman)).open()


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_what_podman_saves(form: str, podman: dict[str, str], tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=1)
    published = at(places.parse("containers-storage:app:saved"), ports(tmp_path, **podman)).publish(built)
    name = published.place.partition(":")[2]
    command = ["podman", "save", "--quiet", "--format", form, "--output", str(tmp_path / "saved.tar"), name]
    subprocess.run(command, env=os.environ | podman, check=True)
    found = read(f"{form}:{tmp_path}/saved.tar", tmp_path)
    assert found.images[0].settings.rootfs == settings(built)
    base = read_base(f"{form}:{tmp_path}/saved.tar", str(found.images[0].platform), tmp_path)
    assert [layer.diff_id for layer in base.layers] == [layer.diff_id for layer in built.images[0].layers]


def test_several_images_need_a_choice(tmp_path: Path) -> None:
    built, place = original(tmp_path, seed=1)
    other = random_image(tmp_path / "layers", seed=2)
    at(places.parse(f"oci:{tmp_path}/ours:2"), ports(tmp_path)).publish(other)
    with pytest.raises(UsageError) as caught:
        read(f"oci:{tmp_path}/ours", tmp_path)
    assert (caught.value.name, caught.value.why) == ("which-image", "it holds 1, 2")
    assert read(f"oci:{tmp_path}/ours@{other.digest}", tmp_path).descriptor.digest == other.digest
    assert read(place, tmp_path).descriptor.digest == built.digest
    with pytest.raises(UsageError) as caught:
        read(f"oci:{tmp_path}/ours:3", tmp_path)
    assert (caught.value.name, caught.value.why) == ("no-such-image", "it holds 1, 2")


@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive", "docker"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_a_base_is_copied_and_checked(kind: str, compression: str, tmp_path: Path, docker_registry: str) -> None:
    shape = Shape(compression=compression) if kind == "docker-archive" else THREE._replace(compression=compression)
    built = random_image(tmp_path / "layers", seed=1, shape=shape)
    rest = f"//{docker_registry}/{tmp_path.name.lower().replace('_', '-')}" if kind == "docker" else f"{tmp_path}/base"
    place = f"{kind}:{rest}:{'app:1' if kind == 'docker-archive' else '1'}"
    at(places.parse(place), ports(tmp_path)).publish(built)
    base = read_base(place, "linux/amd64", tmp_path)
    assert base.platform == platform("linux/amd64")
    assert [layer.diff_id for layer in base.layers] == [layer.diff_id for layer in built.images[0].layers]
    for layer in base.layers:
        assert of_bytes(Path(layer.file).read_bytes()) == layer.digest
        assert layer.file == str(tmp_path / "cache/1/blobs" / layer.digest.path)
        assert not layer.reused
    again = read_base(place, "linux/amd64", tmp_path)
    assert all(layer.reused for layer in again.layers)
    assert base.digest == (built.images[0].digest if kind != "docker-archive" or compression != "zstd" else base.digest)


def test_variants_are_chosen_as_containerd_does(tmp_path: Path) -> None:
    shape = Shape(platforms=("linux/arm/v5", "linux/arm/v7", "linux/amd64", "linux/amd64/v3", "linux/arm64"))
    _, place = original(tmp_path, shape)

    def chosen(wanted: str) -> str:
        return str(read_base(place, wanted, tmp_path).platform)

    assert chosen("linux/arm/v6") == "linux/arm/v5"
    assert chosen("linux/arm") == "linux/arm/v7"
    assert chosen("linux/amd64") == "linux/amd64"
    assert chosen("linux/amd64/v2") == "linux/amd64"
    assert chosen("linux/amd64/v4") == "linux/amd64/v3"
    assert chosen("linux/arm64/v9.0") == "linux/arm64"
    with pytest.raises(UsageError) as caught:
        chosen("linux/s390x")
    assert caught.value.name == "no-platform"
    assert "linux/arm/v5, linux/arm/v7, linux/amd64, linux/amd64/v3, linux/arm64" in caught.value.why


def test_a_layer_that_is_not_its_diff_id(tmp_path: Path) -> None:
    """The packed bytes have their digest; unpacked they are something else."""
    built, place = original(tmp_path)
    layer = built.images[0].layers[0]
    other = gzip.compress(bytes(10240), mtime=0)
    manifest = json.loads(built.images[0].manifest.data)
    manifest["layers"][0] |= {"digest": f"sha256:{hashlib.sha256(other).hexdigest()}", "size": len(other)}
    blobs = tmp_path / "ours/blobs/sha256"
    (blobs / hashlib.sha256(other).hexdigest()).write_bytes(other)
    replace_top(tmp_path / "ours", json.dumps(manifest).encode())
    with pytest.raises(CorruptError) as caught:
        read_base(place, "linux/amd64", tmp_path)
    assert caught.value.name == "diff-id"
    assert str(layer.diff_id) in caught.value.message


def replace_top(layout: Path, manifest: bytes) -> None:
    digest = of_bytes(manifest)
    (layout / "blobs" / digest.path).write_bytes(manifest)
    index = json.loads((layout / "index.json").read_bytes())
    index["manifests"][0] |= {"digest": digest, "size": len(manifest)}
    (layout / "index.json").write_text(json.dumps(index))


def test_a_loop_cannot_be_made_but_depth_ends(tmp_path: Path) -> None:
    _, place = original(tmp_path)
    layout = tmp_path / "ours"
    child = json.loads((layout / "index.json").read_bytes())["manifests"][0]
    child.pop("annotations")
    for _ in range(6):
        body = json.dumps({"schemaVersion": 2, "manifests": [child]}).encode()
        child = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": of_bytes(body), "size": len(body)}
        (layout / "blobs" / of_bytes(body).path).write_bytes(body)
    index = json.loads((layout / "index.json").read_bytes())
    index["manifests"][0] |= child
    (layout / "index.json").write_text(json.dumps(index))
    with pytest.raises(CorruptError) as caught:
        read(place, tmp_path)
    assert caught.value.name == "too-deep"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda top: top | {"manifests": []}, "manifest-kind"),
        (lambda top: top | {"schemaVersion": 1}, "manifest-kind"),
        (lambda top: top | {"mediaType": "application/vnd.oci.image.index.v1+json"}, "manifest-kind"),
        (lambda top: top | {"config": top["config"] | {"size": 10_000_000_000}}, "too-large"),
        (lambda top: top | {"config": top["config"] | {"size": 5}}, "long-blob"),
        (lambda top: top | {"config": top["config"] | {"digest": "sha256:../../etc/passwd"}}, "bad-digest"),
        (lambda top: top | {"config": top["config"] | {"digest": "sha256:" + "0" * 64}}, "missing-blob"),
        (lambda top: top | {"layers": []}, "layer-count"),
        (lambda top: top | {"layers": "none"}, "json"),
    ],
)
def test_manifests_that_lie(change: object, name: str, tmp_path: Path) -> None:
    built, place = original(tmp_path)
    assert callable(change)
    replace_top(tmp_path / "ours", json.dumps(change(json.loads(built.images[0].manifest.data))).encode())
    with pytest.raises(CorruptError) as caught:
        read(place, tmp_path)
    assert caught.value.name == name


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    built, place = original(tmp_path)
    blob = tmp_path / "ours/blobs" / built.images[0].config.digest.path
    blob.unlink()
    os.mkfifo(blob)
    with pytest.raises(CorruptError) as caught:
        read(place, tmp_path)
    assert caught.value.name == "missing-blob"


@pytest.mark.parametrize("text", ["oci:{}/none", "oci-archive:{}/none", "docker-archive:{}/none", "store:none"])
def test_nothing_there(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(text.format(tmp_path), tmp_path)
    assert caught.value.name in ("no-such-image", "not-a-layout")


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b" + bytes(600), bytes(1024), b"\0" * 511])
@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_files_that_are_no_archives(kind: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(WherryError) as caught:
        read(f"{kind}:{tmp_path}/x.tar", tmp_path)
    assert caught.value.name in ("not-an-archive", "bad-tar")


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_an_archive_cut_anywhere_is_refused(kind: str, tmp_path: Path) -> None:
    """B10: no cut end is taken for an end."""
    at(places.parse(f"{kind}:{tmp_path}/x.tar"), ports(tmp_path)).publish(random_image(tmp_path / "l", seed=1))
    whole = (tmp_path / "x.tar").read_bytes()
    for size in range(0, len(whole), 512):
        (tmp_path / "x.tar").write_bytes(whole[:size])
        with pytest.raises(WherryError):
            read(f"{kind}:{tmp_path}/x.tar", tmp_path)


def test_a_registry_that_answers_with_something_else(tmp_path: Path, docker_registry: str) -> None:
    """C07: a digest that is asked for is the digest that is read."""
    built = random_image(tmp_path / "layers", seed=1)
    name = f"{docker_registry}/{tmp_path.name.lower()}"
    at(places.parse(f"docker://{name}:1"), ports(tmp_path)).publish(built)
    assert read(f"docker://{name}@{built.digest}", tmp_path).descriptor.digest == built.digest
    keeper = at(places.parse(f"docker://{name}:1"), ports(tmp_path))
    layer = built.images[0].layers[0]
    wrong = Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size - 1)
    with pytest.raises(CorruptError) as caught:
        list(keeper.blob(wrong))
    assert caught.value.name == "long-blob"
