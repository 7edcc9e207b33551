"""Bases in real and scripted registries: how much is asked, what is fetched, and what a bad one gets."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.bases import bases, kept, read_base, wanted
from tests.support.images import Shape, random_image
from tests.support.packing import END, compressed, header, member
from tests.support.ports import ports
from tests.support.registry import FakeRegistry, Fault, fake_registry
from wherry.errors import CorruptError, UsageError, WherryError
from wherry.kit import parallel
from wherry.kit.ports import Event
from wherry.model.base import Base
from wherry.model.image import Built
from wherry.oci import media
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.platform import parse as platform
from wherry.store import layers, pick
from wherry.store import place as places
from wherry.store.base import reference_now
from wherry.store.places import at

THREE = Shape(platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"))
ARM = platform("linux/arm/v7")


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as running:
        yield running


def published(registry: FakeRegistry, folder: Path, shape: Shape = THREE) -> tuple[Built, str]:
    """An image in the registry as `base:1`, and its place."""
    built = random_image(folder / "layers", seed=1, shape=shape)
    place = f"docker://{registry.host}/base:1"
    at(places.parse(place), ports(folder)).publish(built)
    registry.calls.clear()
    return built, place


def asked(registry: FakeRegistry) -> list[str]:
    """Method and last part of each request since the last time."""
    calls = [f"{call.method} {call.path.rpartition('/')[2]}" for call in registry.calls]
    registry.calls.clear()
    return calls


def test_only_the_chosen_platform_is_read_and_only_once_ever(registry: FakeRegistry, tmp_path: Path) -> None:
    built, place = published(registry, tmp_path)
    chosen = next(image for image in built.images if image.platform == ARM)
    base = bases(tmp_path, lazy=True).read(wanted(place), ARM)
    assert (base.digest, base.top) == (chosen.digest, built.digest)
    assert asked(registry) == ["GET 1", f"GET {chosen.digest}", f"GET {chosen.config.digest}"]
    run = bases(tmp_path, lazy=True)
    for _ in range(2):
        assert replace(run.read(wanted(place), ARM), layers=()) == replace(base, layers=())
    assert asked(registry) == ["HEAD 1"]
    bases(tmp_path, lazy=True).read(wanted(place, built.digest), ARM)
    assert asked(registry) == []


def test_a_tag_that_moved_is_read_anew(registry: FakeRegistry, tmp_path: Path) -> None:
    _, place = published(registry, tmp_path)
    read_base(place, "linux/amd64", tmp_path)
    other = random_image(tmp_path / "layers", seed=2, shape=THREE)
    at(places.parse(place), ports(tmp_path)).publish(other)
    assert read_base(place, "linux/amd64", tmp_path).top == other.digest
    assert reference_now(wanted(place), ports(tmp_path)) == other.digest


def test_layers_stay_until_their_bytes_are_wanted(registry: FakeRegistry, tmp_path: Path) -> None:
    _, place = published(registry, tmp_path)
    base = bases(tmp_path, lazy=True).read(wanted(place), ARM)
    assert not any(Path(layer.file).exists() for layer in base.layers)
    asked(registry)
    first = base.layers[0]
    assert of_bytes(b"".join(layers.chunks(first))) == first.digest
    assert first.here() == first.file
    assert asked(registry) == [f"GET {first.digest}"]
    assert not Path(base.layers[1].file).exists()


def test_a_push_sends_nothing_of_a_base_that_is_there(registry: FakeRegistry, tmp_path: Path) -> None:
    _, place = published(registry, tmp_path)
    base = bases(tmp_path, lazy=True).read(wanted(place), ARM)
    asked(registry)
    built = on(base, tmp_path)
    at(places.parse(f"docker://{registry.host}/app:1"), ports(tmp_path)).publish(built)
    downloads = [one for one in asked(registry) if one.startswith("GET") and str(base.layers[0].digest) in one]
    assert downloads == []
    with fake_registry() as other:
        at(places.parse(f"docker://{other.host}/app:1"), ports(tmp_path)).publish(built)
        assert base.layers[0].digest in other.blobs
    assert [one for one in asked(registry) if one == f"GET {base.layers[0].digest}"] == [f"GET {base.layers[0].digest}"]


def on(base: Base, folder: Path) -> Built:
    """An application on the base."""
    from tests.support.plans import plan
    from wherry.assemble.image import assemble_all, prepare
    from wherry.assemble.pack import Packer
    from wherry.model.binary import Binary
    from wherry.model.plan import BaseChoice, Target

    blobs = kept(folder)
    packer = Packer(blobs=Path(blobs.folders.blobs), scratch=folder / "scratch", records=blobs.records)
    (folder / "program").write_bytes(b"program")
    chosen = replace(
        plan(base=BaseChoice(name=base.name)),
        targets=(Target(import_path="example.com/x", name="x", file="x"),),
        health=None,
    )
    made = Binary(import_path="example.com/x", name="x", platform=ARM, file=str(folder / "program"), size=7)
    return assemble_all(chosen, prepare(chosen, (base,), folder, packer), (made,), packer)


def test_the_digest_is_the_same_wherever_the_layers_are(registry: FakeRegistry, tmp_path: Path) -> None:
    _, place = published(registry, tmp_path)
    lazy = on(bases(tmp_path / "a", lazy=True).read(wanted(place), ARM), tmp_path / "a")
    eager = on(bases(tmp_path / "b").read(wanted(place), ARM), tmp_path / "b")
    assert lazy.digest == eager.digest


def test_a_damaged_cache_is_mended(registry: FakeRegistry, tmp_path: Path) -> None:
    """E04: flipped bytes are moved aside, and what they were is fetched again."""
    _, place = published(registry, tmp_path)
    base = read_base(place, "linux/amd64", tmp_path)
    for file in (tmp_path / "cache/1/blobs/sha256").iterdir():
        data = file.read_bytes()
        file.unlink()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    again = read_base(place, "linux/amd64", tmp_path)
    assert again.digest == base.digest
    assert all(of_bytes(Path(layer.file).read_bytes()) == layer.digest for layer in again.layers)


def test_many_at_once_fetch_a_layer_once(registry: FakeRegistry, tmp_path: Path) -> None:
    """E03: each as alone as a process of its own, over one cold cache."""
    built, place = published(registry, tmp_path, Shape(size=300_000))
    found = parallel.each(
        lambda _: bases(tmp_path).read(wanted(place), platform("linux/amd64")).digest, range(12), at_once=12
    )
    assert set(found) == {built.digest}
    calls = asked(registry)
    digests = [layer.digest for layer in built.images[0].layers]
    assert [calls.count(f"GET {digest}") for digest in digests] == [1, 1]
    assert not list((tmp_path / "cache/1/locks").glob("blob-*"))


def test_fetching_is_told(registry: FakeRegistry, tmp_path: Path) -> None:
    _, place = published(registry, tmp_path, Shape())
    heard: list[Event] = []
    bases(tmp_path, through=replace(ports(tmp_path), events=heard.append)).read(wanted(place), platform("linux/amd64"))
    assert {one.phase for one in heard} == {"fetch"}
    assert all(0 <= one.done <= one.total for one in heard)


def test_a_platform_that_is_not_there(registry: FakeRegistry, tmp_path: Path) -> None:
    _, place = published(registry, tmp_path)
    with pytest.raises(UsageError) as caught:
        read_base(place, "linux/s390x", tmp_path)
    assert (caught.value.name, caught.value.why) == ("no-platform", "it has linux/amd64, linux/arm64, linux/arm/v7")


def test_a_tag_that_is_not_there(registry: FakeRegistry, tmp_path: Path) -> None:
    with pytest.raises(WherryError) as caught:
        read_base(f"docker://{registry.host}/base:none", "linux/amd64", tmp_path)
    assert caught.value.name == "registry-not-found"


@pytest.mark.parametrize("digest", ["top", "child", "config"])
def test_other_bytes_than_the_digest_names(digest: str, registry: FakeRegistry, tmp_path: Path) -> None:
    """C07: also when a header claims the right digest; and nothing of it is kept."""
    built, place = published(registry, tmp_path)
    chosen = next(image for image in built.images if image.platform == platform("linux/amd64"))
    named = {"top": built.digest, "child": chosen.digest, "config": chosen.config.digest}[digest]
    headers = {"Docker-Content-Digest": str(named), "Content-Type": media.OCI_INDEX}
    body = built.images[1].manifest.data if digest != "config" else b"{}"
    registry.faults = [Fault(path=named, method="GET", status=200, headers=headers, body=body, times=99)]
    with pytest.raises(CorruptError):
        bases(tmp_path, lazy=True).read(wanted(place, built.digest), platform("linux/amd64"))
    registry.faults.clear()
    assert bases(tmp_path, lazy=True).read(wanted(place, built.digest), platform("linux/amd64")).digest == chosen.digest


def test_the_old_schema_says_so(registry: FakeRegistry, tmp_path: Path) -> None:
    body = json.dumps({"schemaVersion": 1, "name": "base", "tag": "1", "fsLayers": [], "history": []}).encode()
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    registry.manifests["base:1"] = (body, kind)
    with pytest.raises(CorruptError) as caught:
        read_base(f"docker://{registry.host}/base:1", "linux/amd64", tmp_path)
    assert caught.value.name == "schema-1"


def put(registry: FakeRegistry, document: dict[str, object], tag: str = "") -> dict[str, object]:
    """A manifest in the registry, and its descriptor."""
    body = json.dumps(document).encode()
    digest, kind = of_bytes(body), str(document["mediaType"])
    registry.manifests[f"base@{digest}"] = (body, kind)
    if tag:
        registry.manifests[f"base:{tag}"] = (body, kind)
    return {"mediaType": kind, "digest": digest, "size": len(body)}


def test_indexes_in_indexes_end(registry: FakeRegistry, tmp_path: Path) -> None:
    built, place = published(registry, tmp_path)
    child: dict[str, object] = {
        "mediaType": media.OCI_INDEX,
        "digest": built.digest,
        "size": built.content.document.size,
    }
    for depth in range(5):
        child = put(registry, {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [child, child]}, "1")
        if depth < 2:
            assert read_base(place, "linux/arm64", tmp_path).digest == built.images[1].digest
    with pytest.raises(CorruptError) as caught:
        read_base(place, "linux/amd64", tmp_path)
    assert caught.value.name == "too-deep"


def test_an_index_of_too_many(registry: FakeRegistry, tmp_path: Path) -> None:
    one = {"mediaType": media.OCI_MANIFEST, "size": 10, "platform": {"os": "linux", "architecture": "amd64"}}
    many = [one | {"digest": f"sha256:{number:064x}"} for number in range(600)]
    put(registry, {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": many}, "1")
    with pytest.raises(CorruptError) as caught:
        read_base(f"docker://{registry.host}/base:1", "linux/amd64", tmp_path)
    assert caught.value.name == "too-deep"


def test_attestations_are_no_images_and_platforms_may_be_unsaid(registry: FakeRegistry, tmp_path: Path) -> None:
    built, place = published(registry, tmp_path)
    rows = json.loads(built.content.document.data)["manifests"]
    for row in rows:
        del row["platform"]
    attestation = rows[0] | {"platform": {"os": "unknown", "architecture": "unknown"}}
    put(registry, {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [attestation, *rows]}, "1")
    assert read_base(place, "linux/arm/v7", tmp_path).platform == ARM
    there = bases(tmp_path).platforms(wanted(place))
    assert [str(one.platform) for one in there] == list(THREE.platforms)
    assert all(isinstance(one, pick.Candidate) for one in there)


def hostile(registry: FakeRegistry, packed: bytes, tar_bytes: bytes) -> str:
    """A base whose one layer is `packed`, with the diff id of `tar_bytes`."""
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar_bytes).hexdigest()}"]},
        }
    ).encode()
    registry.blobs |= {of_bytes(one): one for one in (packed, config)}
    blobs = [
        {"mediaType": kind, "digest": of_bytes(one), "size": len(one)}
        for kind, one in ((media.OCI_CONFIG, config), (media.OCI_LAYER_GZIP, packed))
    ]
    put(registry, {"schemaVersion": 2, "mediaType": media.OCI_MANIFEST, "config": blobs[0], "layers": blobs[1:]}, "1")
    return f"docker://{registry.host}/base:1"


@pytest.mark.parametrize("name", [b"../etc/passwd", b"/etc/passwd", b"a/../../b", b"a/.wh.."])
def test_a_layer_that_leads_out(name: bytes, registry: FakeRegistry, tmp_path: Path) -> None:
    """B01, B04: refused before anything is made of it, and not kept."""
    data = member(name, b"x") + END
    with pytest.raises(CorruptError) as caught:
        read_base(hostile(registry, compressed(data), data), "linux/amd64", tmp_path)
    assert caught.value.name == "bad-tar"
    assert not (tmp_path / "cache/1/blobs" / of_bytes(compressed(data)).path).exists()
    assert not list((tmp_path / "scratch").iterdir())


def test_a_layer_that_is_a_bomb(registry: FakeRegistry, tmp_path: Path) -> None:
    """B12: a megabyte that unpacks to a gigabyte."""
    import zlib

    press = zlib.compressobj(9, wbits=31)
    size = 1 << 30
    out = io.BytesIO(press.compress(header(b"zeros", size=size)))
    out.seek(0, 2)
    for _ in range(size >> 20):
        out.write(press.compress(bytes(1 << 20)))
    out.write(press.compress(END) + press.flush())
    with pytest.raises(CorruptError) as caught:
        read_base(hostile(registry, out.getvalue(), b""), "linux/amd64", tmp_path)
    assert caught.value.name == "bomb"
    assert not list((tmp_path / "scratch").iterdir())


def test_a_layer_that_is_another_than_its_diff_id(registry: FakeRegistry, tmp_path: Path) -> None:
    data = member(b"a", b"x") + END
    with pytest.raises(CorruptError) as caught:
        read_base(hostile(registry, compressed(data), b"other"), "linux/amd64", tmp_path)
    assert caught.value.name == "diff-id"


def test_two_images_on_one_base_fetch_it_once(registry: FakeRegistry, tmp_path: Path) -> None:
    built, place = published(registry, tmp_path)
    run = bases(tmp_path)
    for _ in range(3):
        run.read(wanted(place), ARM)
    digests = [str(layer.digest) for image in built.images if image.platform == ARM for layer in image.layers]
    calls = asked(registry)
    assert [calls.count(f"GET {digest}") for digest in digests] == [1] * len(digests)
    assert isinstance(built.digest, Digest)
