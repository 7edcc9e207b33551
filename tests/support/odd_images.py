"""What is no plain image: artifacts, and indexes with attestations beside the images. A folder in, a layout there out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.oci import media
from wherry.oci.descriptor import Document
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.manifest import DESCRIBES
from wherry.store import place as places
from wherry.store.places import at

STATEMENT = "application/vnd.in-toto+json"


class Laid:
    """A layout that is written by hand, blob by blob."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        """Lays `data` down; its descriptor."""
        digest = of_bytes(data)
        (self.folder / "blobs/sha256" / digest.hex).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def document(self, media_type: str, **members: Any) -> dict[str, Any]:
        """Lays a manifest or index down, with odd white space; its descriptor."""
        body = {"schemaVersion": 2, "mediaType": media_type, **members}
        return self.blob(json.dumps(body, indent=3).encode(), media_type)

    def tagged(self, tag: str, descriptor: dict[str, Any]) -> str:
        """Makes `tag` mean `descriptor`; the place."""
        row = descriptor | {"annotations": {"org.opencontainers.image.ref.name": tag}}
        path = self.folder / "index.json"
        rows = json.loads(path.read_text())["manifests"] if path.exists() else []
        path.write_text(json.dumps({"schemaVersion": 2, "manifests": [*rows, row]}))
        return f"oci:{self.folder}:{tag}"


def artifact(laid: Laid, data: bytes = b"anything", **members: Any) -> dict[str, Any]:
    """An artifact with one blob of a media type nobody knows."""
    config = laid.blob(b"{}", media.OCI_EMPTY)
    layer = laid.blob(data, "application/vnd.example.thing.v7")
    return laid.document(
        media.OCI_MANIFEST, artifactType="application/vnd.example.thing", config=config, layers=[layer], **members
    )


def attested(laid: Laid, folder: Path) -> dict[str, Any]:
    """An index of two images and, as BuildKit lays them, an attestation of each."""
    built = random_image(folder, seed=21, shape=Shape(platforms=("linux/amd64", "linux/arm64")))
    place = at(places.parse(f"oci:{laid.folder}"), ports(folder)).publish(built)
    index = json.loads(built.content.document.data)
    for image in built.images:
        index["manifests"].append(attestation(laid, image.digest))
    (laid.folder / "index.json").unlink()
    assert place.digest == built.digest
    return laid.blob(json.dumps(index, indent=3).encode(), media.OCI_INDEX)


def attestation(laid: Laid, subject: Digest) -> dict[str, Any]:
    """A provenance statement as a row of an index."""
    statement = laid.blob(json.dumps({"subject": subject}).encode(), STATEMENT)
    config = laid.blob(
        b'{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}', media.OCI_CONFIG
    )
    manifest = laid.document(media.OCI_MANIFEST, config=config, layers=[statement])
    unknown = {"architecture": "unknown", "os": "unknown"}
    return manifest | {"annotations": {DESCRIBES: subject}, "platform": unknown}


def whole(place: str, folder: Path) -> dict[Digest, bytes]:
    """Every byte at `place`, by digest; raises when any is missing or wrong."""
    from wherry.store.content import content_from

    keeper = at(places.parse(place), ports(folder))
    content = content_from(keeper, keeper.open())
    documents: tuple[Document, ...] = (*content.manifests, *content.configs)
    found = {document.digest: document.data for document in documents}
    return found | {blob.digest: b"".join(content.open(blob.descriptor)) for blob in content.blobs}
