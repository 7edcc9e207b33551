"""One suite over every place: what lies in one is put into another, byte for byte, and only what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.odd_images import Laid, artifact, attested, whole
from tests.support.ports import HOST, ports
from tests.support.shelves import Shelf
from wherry.errors import UsageError
from wherry.flows.copy import CopyRequest, copied, place_of
from wherry.model.image import Built
from wherry.oci.descriptor import Descriptor
from wherry.oci.reference import Reference
from wherry.store import place as places
from wherry.store.content import Content, content_from
from wherry.store.places import at

SHAPES = {
    "gzip": Shape(),
    "zstd": Shape(compression="zstd"),
    "plain": Shape(compression="none"),
    "docker": Shape(format="docker"),
}


def names(shelf: Shelf) -> tuple[Reference, ...]:
    """What it is called where it comes from; a registry's place says the name itself."""
    return () if shelf.text.startswith("docker://") else (Reference(repository="elsewhere", tag="9"),)


def laid(built: Built, folder: Path) -> Content:
    """`built` as a layout holds it."""
    return lying(at(places.parse(f"oci:{folder}/source"), ports(folder)).publish(built).place, folder)


def lying(place: str, folder: Path) -> Content:
    keeper = at(places.parse(place), ports(folder))
    return content_from(keeper, keeper.open())


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_image_arrives_as_it_was(shelf: Shelf, shape: Shape, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=1, shape=shape)
    content = laid(built, tmp_path)
    (put,) = shelf.keeper().put(content, names(shelf))
    assert (put.digest, put.sent > 0) == (built.digest, True)
    zstd_saved = shape.compression == "zstd" and shelf.text.startswith("docker-archive:")
    if shelf.keeps_digests:
        assert put.reference.endswith(f"@{built.digest}")
        assert zstd_saved or shelf.look(put) == built.digest
    stored = shelf.keeper(put.place).open()
    assert stored.images[0].config.data == built.images[0].config.data
    if shelf.keeps_digests and shelf.gives_layers and not zstd_saved:
        again = content_from(shelf.keeper(put.place), stored)
        assert (again.digest, again.manifests) == (content.digest, content.manifests)
        for blob in again.blobs:
            assert b"".join(again.open(blob.descriptor)) == b"".join(content.open(blob.descriptor))


def test_an_index_arrives_whole_or_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shape = Shape(platforms=("linux/arm64", "linux/amd64", "linux/arm/v7"))
    built = random_image(tmp_path / "layers", seed=2, shape=shape)
    content = laid(built, tmp_path)
    if not shelf.holds_indexes:
        with pytest.raises(UsageError) as caught:
            shelf.keeper().put(content, names(shelf))
        assert caught.value.name == "one-platform"
        return
    (put,) = shelf.keeper().put(content, names(shelf))
    here = next(image for image in built.images if image.platform == HOST)
    assert shelf.look(put) == (built.digest if shelf.keeps_digests else here.config.digest)


def test_only_what_is_missing_is_opened(shelf: Shelf, tmp_path: Path) -> None:
    content = laid(random_image(tmp_path / "layers", seed=3, shape=Shape(layers=3)), tmp_path)
    opened: list[Descriptor] = []

    def counting(descriptor: Descriptor) -> Iterator[bytes]:
        opened.append(descriptor)
        return content.open(descriptor)

    far = tuple(replace(blob, file="") for blob in content.blobs)  # a file of this machine is not opened by us
    counted = replace(content, blobs=far, open=counting)
    first = shelf.keeper().put(counted, names(shelf))
    assert {one.digest for one in opened} == {blob.digest for blob in content.blobs}
    opened.clear()
    second = shelf.keeper().put(counted, names(shelf))
    assert [one.reference for one in second] == [one.reference for one in first]
    if shelf.counts:
        assert (opened, second[0].sent) == ([], 0)


@pytest.mark.parametrize("kind", ["artifact", "attested"])
def test_what_is_no_plain_image_arrives_byte_for_byte(shelf: Shelf, kind: str, tmp_path: Path) -> None:
    source = Laid(tmp_path / "odd")
    top = artifact(source) if kind == "artifact" else attested(source, tmp_path)
    place = source.tagged("1", top)
    is_engine = "daemon" in shelf.text or "contain" in shelf.text
    if shelf.text.startswith("docker-archive:") or is_engine:
        if kind == "artifact":
            with pytest.raises(UsageError) as caught:
                shelf.keeper().put(lying(place, tmp_path), names(shelf))
            assert caught.value.name == "not-an-image"
        return
    (put,) = shelf.keeper().put(lying(place, tmp_path), names(shelf))
    assert put.digest == top["digest"]
    assert whole(put.place, tmp_path) == whole(place, tmp_path)


def test_an_engine_s_part_of_an_index_is_not_taken_for_the_whole(containerd: str, tmp_path: Path) -> None:
    """containerd keeps the index and the image for this machine; the others are named and gone."""
    shape = Shape(platforms=("linux/arm64", "linux/amd64"))
    built = random_image(tmp_path / "layers", seed=9, shape=shape)
    use = ports(tmp_path, CONTAINERD_ADDRESS=containerd)
    place = at(places.parse("containerd:partial:1"), use).publish(built).place
    target = (place_of(f"oci:{tmp_path}/target:1"),)
    with pytest.raises(UsageError) as caught:
        copied(place_of(place), target, CopyRequest(source=place, destinations=()), use)
    assert (caught.value.name, caught.value.next) == ("incomplete-index", (f"add --platform {HOST}",))
    request = CopyRequest(source=place, destinations=(), platforms=(str(HOST),))
    here = next(image for image in built.images if image.platform == HOST)
    assert copied(place_of(place), target, request, use).digest == here.digest


def test_without_a_tag_there_is_no_name(tmp_path: Path) -> None:
    """By digest alone: a layout finds it by that, wherry's store names it by its beginning."""
    content = laid(random_image(tmp_path / "layers", seed=10), tmp_path)
    untagged = (Reference(host="reg.example", repository="app", digest=content.digest),)
    (put,) = at(places.parse(f"oci:{tmp_path}/target"), ports(tmp_path)).put(content, untagged)
    assert put.reference == put.place == f"oci:{tmp_path}/target@{content.digest}"
    assert lying(put.place, tmp_path).digest == content.digest
    (kept,) = at(places.parse("store:"), ports(tmp_path)).put(content, untagged)
    assert kept.place == f"store:reg.example/app:sha256-{content.digest.hex[:12]}"
    assert lying(kept.place, tmp_path).digest == content.digest
