"""An image in a layout that is begun to be sent, and the registry it goes to. A folder in, what became of it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.registry import FakeRegistry
from wherry.cli import early
from wherry.model.image import Image
from wherry.oci import media
from wherry.oci.descriptor import Document
from wherry.oci.digest import of_bytes
from wherry.store import place as places
from wherry.store.places import at

TWO = Shape(platforms=("linux/amd64", "linux/arm64"), size=100_000)


class Yard:
    """A layout with one image, and a registry."""

    def __init__(self, folder: Path, registry: FakeRegistry, shape: Shape) -> None:
        self.layout, self.registry = folder / "images", registry
        self.built = random_image(folder / "layers", shape=shape)
        at(places.parse(f"oci:{self.layout}:1"), ports(folder)).publish(self.built)

    @property
    def digests(self) -> list[str]:
        images = self.built.images
        layers = [str(layer.digest) for image in images for layer in image.layers]
        return layers + [str(image.config.digest) for image in images]

    def file(self, digest: str) -> Path:
        return self.layout / "blobs/sha256" / digest[7:]

    def put(self, document: object) -> str:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = str(of_bytes(data))
        self.file(digest).write_bytes(data)
        return digest

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.built.images[0].manifest.data)
        return found

    @property
    def top(self) -> Document:
        content = self.built.content
        return content.manifest if isinstance(content, Image) else content.document

    def begin(self, digest: str = "", kind: str = media.OCI_MANIFEST) -> early.Begun:
        host, _, port = self.registry.host.partition(":")
        top = described(self.top.media_type, str(self.top.digest), self.top.size)
        if digest:
            file = self.file(digest)
            top = described(kind, digest, file.stat().st_size if file.is_file() else 1)
        return early.Begun(str(self.layout), top, (host, int(port)), "team/app")

    def found(self, digest: str) -> tuple[bool, str]:
        return early.found(f"{self.registry.base}/v2/team/app/blobs/{digest}", lambda _: None)


def described(kind: str, digest: str, size: int) -> dict[str, Any]:
    """An entry of index.json."""
    return {"mediaType": kind, "digest": digest, "size": size}
