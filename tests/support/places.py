"""Publishing to places of one folder, reading back whole, and damage. Folders and images in, digests out; touches the
folder."""

from __future__ import annotations

from pathlib import Path

from tests.support.ports import ports
from wherry.model.image import Built, Published
from wherry.store import place as places
from wherry.store.places import at

KINDS = ("oci:{}/place:1", "store:app:1", "oci-archive:{}/place.tar:1", "docker-archive:{}/place.tar:app:1")
FOLDERS = KINDS[:2]


def publish(place: str, folder: Path, built: Built) -> Published:
    return at(places.parse(place.format(folder)), ports(folder)).publish(built)


def layout_of(place: str, folder: Path) -> Path:
    return folder / ("data/store/1" if place.startswith("store:") else "place")


def whole(place: str, folder: Path) -> str:
    """The digest of what lies there, every byte of it read; raises when any is wrong."""
    keeper = at(places.parse(place.format(folder)), ports(folder))
    stored = keeper.open()
    for image in stored.images:
        for layer in image.layers:
            for _ in keeper.blob(layer):
                pass
    return str(stored.descriptor.digest)


def hurt(blob: Path, damage: str) -> None:
    """Damages `blob` alone: in the store its file may be one with the cache's."""
    data = blob.read_bytes()
    blob.unlink()
    match damage:
        case "zeros":
            blob.write_bytes(bytes(len(data)))
        case "empty":
            blob.write_bytes(b"")
        case "half":
            blob.write_bytes(data[: len(data) // 2])
        case "flipped":
            blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        case "longer":
            blob.write_bytes(data + b"\0")
        case "folder":
            blob.mkdir()
        case _:
            blob.write_bytes(data)
            blob.chmod(0)
