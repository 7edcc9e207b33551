"""An image with things attached to it, and looking for them. A folder in, places and digests out; writes there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.images import Shape, random_image
from tests.support.odd_images import Laid, artifact
from tests.support.ports import ports
from wherry.flows.copy import Copied, CopyRequest, copied, place_of
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.store import documents
from wherry.store import place as places
from wherry.store.attached import attached
from wherry.store.blobs import Blobs
from wherry.store.content import Content, content_from
from wherry.store.places import at


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
