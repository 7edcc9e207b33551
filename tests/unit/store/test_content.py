"""What can be put somewhere: in which order, from where, and never with other bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from wherry.errors import CorruptError
from wherry.model.image import Image, Layer
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, decode, describe, encode
from wherry.oci.digest import of_bytes
from wherry.oci.manifest import Index, Manifest
from wherry.oci.reference import Reference
from wherry.store import documents
from wherry.store import place as places
from wherry.store.content import Content, content_from, content_of
from wherry.store.layout import Layout

TWO = Shape(platforms=("linux/amd64", "linux/arm64"))


def whole(content: Content) -> dict[str, bytes]:
    """Every byte of it, by digest."""
    held = {str(one.digest): one.data for one in (*content.manifests, *content.configs)}
    return held | {str(one.digest): b"".join(content.open(one.descriptor)) for one in content.blobs}


@pytest.mark.parametrize("shape", [Shape(), TWO])
def test_made_or_found_it_is_the_same(shape: Shape, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=shape)
    made = content_of(built)
    place = places.parse(f"oci:{tmp_path}/out:1")
    assert isinstance(place, places.LayoutPlace)
    Layout(place).publish(built)
    keeper = Layout(place)
    found = content_from(keeper, keeper.open())
    assert whole(made) == whole(found)
    assert [one.digest for one in made.manifests] == [one.digest for one in found.manifests]
    assert made.digest == found.digest == made.top.digest == built.digest
    assert made.size == found.size == sum(map(len, whole(made).values()))
    assert all(str(of_bytes(data)) == digest for digest, data in whole(made).items())
    assert whole(found) == whole(found)  # opened again and again


def test_children_come_before_what_names_them(tmp_path: Path) -> None:
    """An index that names an image, and an index that names the same: the nested one comes after its image all the same."""
    built = random_image(tmp_path, shape=TWO)
    one, other = (image.manifest for image in built.images)
    inner = index(one, other)
    top = index(inner, other, one)
    kept = {document.digest: document for document in (top, inner, one, other)}
    kept |= {image.config.digest: image.config for image in built.images}
    stored = documents.stored(lambda asked: kept[asked.digest].data, describe(top), reference="top")
    content = content_from(Layout(places.LayoutPlace(directory=str(tmp_path))), stored)
    assert [document.digest for document in content.manifests] == [one.digest, other.digest, inner.digest, top.digest]


def index(*children: Document) -> Document:
    body = Index(
        schema_version=2, media_type=media.OCI_INDEX, manifests=tuple(describe(document) for document in children)
    )
    return Document(media_type=media.OCI_INDEX, data=encode(body))


def test_what_is_not_all_there_is_said(tmp_path: Path) -> None:
    built = random_image(tmp_path, shape=TWO)
    first = built.images[0]
    kept = {one.digest: one.data for one in (built.content.document, first.manifest, first.config)}

    def fetch(asked: Descriptor) -> bytes:
        if asked.digest not in kept:
            raise CorruptError("missing-blob", "not there")
        return kept[asked.digest]

    stored = documents.stored(fetch, describe(built.content.document), reference="engine", partial=True)
    with pytest.raises(CorruptError) as caught:
        content_from(Layout(places.LayoutPlace(directory=str(tmp_path))), stored)
    assert caught.value.name == "missing-blob"
    assert "--platform" in caught.value.next[0]


def test_a_bases_layer_can_be_mounted_from_the_base_and_is_brought_when_it_is_opened(tmp_path: Path) -> None:
    built = random_image(tmp_path)
    image = built.images[0]
    file, brought = Path(image.layers[0].file), list[bytes]()
    data = file.read_bytes()
    file.unlink()

    def bring() -> None:
        brought.append(data)
        file.write_bytes(data)

    origin = Reference(host="docker.io", repository="library/alpine", tag="3.20")
    base: Layer = replace(image.layers[0], role="base", origin=origin, bring=bring)
    changed: Image = replace(image, layers=(base, *image.layers[1:]))
    content = content_of(replace(built, content=changed))
    assert [[str(one) for one in blob.origins] for blob in content.blobs] == [["docker.io/library/alpine:3.20"], []]
    assert (content.blobs[0].file, content.blobs[1].file) == ("", image.layers[1].file)
    assert not brought
    assert b"".join(content.open(content.blobs[0].descriptor)) == data


def test_layers_that_may_not_be_handed_on_are_left_where_they_are(tmp_path: Path) -> None:
    built = random_image(tmp_path)
    image = built.images[0]
    parsed = decode(image.manifest.data, Manifest, name="m")
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    foreign = (replace(parsed.layers[0], media_type=kind, urls=("https://elsewhere.example/",)), *parsed.layers[1:])
    manifest = Document(media_type=image.manifest.media_type, data=encode(replace(parsed, layers=foreign)))
    content = content_of(replace(built, content=replace(image, manifest=manifest)))
    assert [blob.digest for blob in content.blobs] == [image.layers[1].digest]
