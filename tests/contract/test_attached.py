"""What is attached to an image goes along, through every kind of place that can hold it, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.images import Shape, random_image
from tests.support.odd_images import Laid, artifact
from tests.support.ports import ports
from wherry.errors import UsageError
from wherry.flows.copy import Copied, CopyRequest, copied, place_of
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.store import documents
from wherry.store import place as places
from wherry.store.attached import attached
from wherry.store.blobs import Blobs
from wherry.store.content import Content, content_from
from wherry.store.places import at

ROUTES = (("docker_registry",), ("fake_host",), ("docker_registry", "fake_host"))


def source(folder: Path) -> str:
    """An index with an SBOM, a signature of that SBOM, an SBOM of one of its images, and one of cosign's tags."""
    laid = Laid(folder / "source")
    built = random_image(folder / "layers", seed=31, shape=Shape(platforms=("linux/amd64", "linux/arm64")))
    at(places.parse(f"oci:{laid.folder}:app"), ports(folder)).publish(built)
    top = {"mediaType": built.content.document.media_type, "digest": built.digest, "size": built.content.document.size}
    image = built.images[1].manifest
    sbom = artifact(laid, b"sbom", subject=top)
    things = (
        sbom,
        artifact(laid, b"signature", subject={key: sbom[key] for key in ("mediaType", "digest", "size")}),
        artifact(laid, b"of arm", subject={"mediaType": image.media_type, "digest": image.digest, "size": image.size}),
    )
    for thing in things:
        at(places.parse(f"oci:{laid.folder}"), ports(folder)).put(lying(laid, thing))
    laid.tagged(f"sha256-{built.digest.hex}.sig", artifact(laid, b"cosign"))
    return f"oci:{laid.folder}:app"


def lying(laid: Laid, thing: dict[str, Any]) -> Content:
    """A blob of the layout as something that can be put."""
    descriptor = Descriptor(media_type=thing["mediaType"], digest=thing["digest"], size=thing["size"])
    stored = documents.stored(Blobs(laid.folder, shared=False).fetch, descriptor, reference="thing")
    return content_from(at(places.parse(f"oci:{laid.folder}"), ports(laid.folder)), stored)


def copy(one: str, other: str, folder: Path) -> Copied:
    request = CopyRequest(source=one, destinations=(other,), referrers=True)
    return copied(place_of(one), (place_of(other),), request, ports(folder))


def there(place: str, folder: Path) -> set[tuple[str, Digest]]:
    """Tags and digests of what is attached at `place`."""
    keeper = at(places.parse(place), ports(folder))
    content = content_from(keeper, keeper.open())
    return {(one.tag, one.content.digest) for one in attached(place_of(place), content, ports(folder))}


@pytest.mark.parametrize("route", ROUTES, ids="+".join)
def test_signatures_are_not_left_behind(route: tuple[str, ...], request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """From a layout through registries with and without a list of referrers, into a layout again."""
    place = source(tmp_path)
    expected = there(place, tmp_path)
    assert len(expected) == 4
    for number, name in enumerate(route):
        host = request.getfixturevalue(name)
        following = f"docker://{host}/{tmp_path.name.lower()}/app{number}:1"
        assert copy(place, following, tmp_path).attached == 4
        place = following
        assert there(place, tmp_path) == expected
    copy(place, f"oci:{tmp_path}/back:1", tmp_path)
    assert there(f"oci:{tmp_path}/back:1", tmp_path) == expected


def test_twice_attaches_once(docker_registry: str, tmp_path: Path) -> None:
    place, target = source(tmp_path), f"docker://{docker_registry}/{tmp_path.name.lower()}/twice:1"
    copy(place, target, tmp_path)
    copy(place, target, tmp_path)
    assert len(there(target, tmp_path)) == 4


def test_a_place_without_room_says_so_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        copy(source(tmp_path), f"oci-archive:{tmp_path}/x.tar", tmp_path)
    assert caught.value.name == "no-referrers"
    assert not (tmp_path / "x.tar").exists()
