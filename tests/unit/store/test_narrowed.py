"""A part of an index: one image as it is, or a new index of several that keeps all that belongs to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import Shape, random_image
from tests.support.odd_images import Laid, attested
from tests.support.ports import ports
from wherry.errors import UsageError
from wherry.model.image import Stored
from wherry.oci import media
from wherry.oci.manifest import DESCRIBES
from wherry.oci.platform import Platform, parse
from wherry.store import place as places
from wherry.store.choose import absent, narrowed
from wherry.store.places import at

AMD, ARM = parse("linux/amd64"), parse("linux/arm64")


def stored(laid: Laid, descriptor: dict[str, Any]) -> Stored:
    return at(places.parse(laid.tagged("1", descriptor)), ports(laid.folder)).open()


def rows(found: Stored) -> list[dict[str, Any]]:
    return list(json.loads(found.documents[0].data)["manifests"])


def test_one_platform_is_its_own_image(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "laid")
    whole = stored(laid, attested(laid, tmp_path))
    part = narrowed(whole, (ARM,))
    (image,) = part.images
    assert (part.descriptor.digest, image.platform) == (image.digest, ARM)
    assert part.documents == (image.manifest, image.config)


def test_several_keep_what_describes_them(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "laid")
    index = json.loads((tmp_path / "laid/blobs/sha256" / attested(laid, tmp_path)["digest"][7:]).read_text())
    third = random_image(tmp_path / "third", seed=5, shape=Shape(platforms=("linux/arm/v7",))).images[0]
    laid.blob(third.config.data, media.OCI_CONFIG)
    row = laid.blob(
        third.manifest.data, media.OCI_MANIFEST, platform={"os": "linux", "architecture": "arm", "variant": "v7"}
    )
    whole = stored(laid, laid.document(media.OCI_INDEX, manifests=[row, *index["manifests"]], vendor={"x": 1}))
    part = narrowed(whole, (AMD, ARM))
    assert [image.platform for image in part.images] == [AMD, ARM]
    assert rows(part) == index["manifests"]
    assert [one["annotations"][DESCRIBES] for one in rows(part)[2:]] == [image.digest for image in part.images]
    assert json.loads(part.documents[0].data)["vendor"] == {"x": 1}
    assert absent(part) == ()


def test_all_of_it_is_what_it_was(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "laid")
    whole = stored(laid, attested(laid, tmp_path))
    assert narrowed(whole, (ARM, AMD)).descriptor.digest == whole.descriptor.digest


def test_indexes_in_an_index_are_looked_into(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "laid")
    inner = attested(laid, tmp_path)
    other = random_image(tmp_path / "other", seed=6, shape=Shape(platforms=("linux/s390x",))).images[0]
    laid.blob(other.config.data, media.OCI_CONFIG)
    row = laid.blob(other.manifest.data, media.OCI_MANIFEST)
    whole = stored(laid, laid.document(media.OCI_INDEX, manifests=[inner, row]))
    part = narrowed(whole, (AMD, ARM))
    assert [one["digest"] for one in rows(part)] == [inner["digest"]]


def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "laid")
    with pytest.raises(UsageError) as caught:
        narrowed(stored(laid, attested(laid, tmp_path)), (AMD, Platform(architecture="s390x")))
    assert (caught.value.name, caught.value.why) == ("no-platform", "it has linux/amd64, linux/arm64")
