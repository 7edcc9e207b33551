"""One suite over every place: what is published is found again, by wherry and by another tool, under the same digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.ports import HOST
from tests.support.shelves import Shelf
from wherry.errors import UsageError
from wherry.model.image import Built, Published

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


def test_a_name_without_a_tag_is_latest(shelf: Shelf, tmp_path: Path) -> None:
    """Where a person wrote it; the image's own name goes with its version."""
    built = random_image(tmp_path / "layers", seed=7)
    untagged = shelf.text.removesuffix(":one")
    if untagged.startswith(("oci:", "oci-archive:")):
        built = replace(built, references=("app",))
    published = shelf.keeper(untagged).publish(built)
    assert published.reference.partition("@")[0].endswith(":latest")
    assert shelf.keeper(untagged).open().images[0].config.data == built.images[0].config.data
