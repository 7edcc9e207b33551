"""What an image is called, and what settings may call it: by what it says of itself, not by the folder that it lies in."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.bases import kept
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.flows.subject import TITLE, Subject, image_at
from wherry.oci.platform import parse
from wherry.store import place as places
from wherry.store.place import LayoutPlace
from wherry.store.places import at

AMD64 = parse("linux/amd64")
OWN = Shape(name="team/shop-api", labels=((TITLE, "shop-api"),))
"""As `image.name = "team/shop-{name}"` makes it; its program is /app/x."""


def subject(folder: Path, place: str, shape: Shape) -> Subject:
    """The image of that shape once it lies at `place`, as it is read from there."""
    there = places.parse(place.format(folder))
    at(there, ports(folder)).publish(random_image(folder / "image", shape=shape))
    return image_at(there, ports(folder), kept(folder), AMD64)


@pytest.mark.parametrize(
    ("place", "shape", "called", "names"),
    [
        ("oci:{}/images", OWN, "team/shop-api:1.2.3", ("shop-api", "x")),
        ("oci:{}/images:main", OWN, "team/shop-api:main", ("shop-api", "x")),
        ("oci-archive:{}/images.tar", OWN, "team/shop-api:1.2.3", ("shop-api", "x")),
        ("docker-archive:{}/images.tar", OWN, "team/shop-api:1.2.3", ("shop-api", "x")),
        ("oci:{}/images", Shape(references=("reg.example/t/app:7",)), "reg.example/t/app:7", ("x", "app")),
        ("store:app:1", OWN, "app:1", ("shop-api", "x", "app")),
        ("oci:{}/images", Shape(labels=((TITLE, "../a shop"),)), "app:1.2.3", ("x", "app")),
    ],
)
def test_an_image_is_what_it_says_of_itself_and_not_its_folder(
    place: str, shape: Shape, called: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    one = subject(tmp_path, place, shape)
    assert one.image == f"{called}@{one.digest}"
    assert one.title == called.rpartition("/")[2].partition(":")[0]
    assert one.names == names


@pytest.mark.parametrize(
    ("labels", "title"), [((), "x"), (((TITLE, "shop-api"),), "shop-api"), (((TITLE, "a shop"),), "x")]
)
def test_where_a_layout_names_nothing_its_title_or_program_does(
    labels: tuple[tuple[str, str], ...], title: str, tmp_path: Path
) -> None:
    """As `skopeo copy` and `wherry copy` leave it."""
    layout = LayoutPlace(directory=str(tmp_path / "images"))
    keeper = at(layout, ports(tmp_path))
    built = random_image(tmp_path / "image", shape=Shape(labels=labels))
    published = keeper.publish(built)
    index = tmp_path / "images" / "index.json"
    index.write_text(index.read_text().replace("io.containerd.image.name", "x").replace("image.ref.name", "x"))
    one = image_at(replace(layout, digest=published.digest), ports(tmp_path), kept(tmp_path), AMD64)
    assert (one.title, one.image) == (title, f"{title}@{built.digest}")
