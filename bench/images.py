"""The common base image, and what became of a build: its size, and whether the edit is in it.

Layouts and registry answers in, sizes out; touches the scratch folder and the local registry.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from bench import registry
from wherry.assemble import static
from wherry.assemble.pack import Packer
from wherry.model.plan import BaseChoice, Packing
from wherry.oci.platform import Platform

GZIP = b"\x1f\x8b"
OCI = "application/vnd.oci.image."
ARCHITECTURES = ("amd64", "arm64")


class EditMissingError(Exception):
    """The image does not hold what was edited: the tool cannot be compared."""


class Forgetful:
    """A Records port that remembers nothing, so that every packing is a whole one."""

    def get(self, key: str, /) -> bytes | None:  # noqa: ARG002 - the port's signature
        return None

    def put(self, key: str, data: bytes, /) -> None:
        pass


def packer(folder: Path) -> Packer:
    """Packs into `folder`, as many threads as this machine has processors."""
    import os

    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    return Packer(blobs=folder / "blobs", scratch=folder, records=Forgetful(), threads=os.cpu_count() or 1)


def push_base(host: str, folder: Path) -> tuple[str, Path]:
    """Wherry's static base pushed for everybody: its reference by digest, and its tar as a file for engines to import."""
    platforms = tuple(Platform(architecture=name) for name in ARCHITECTURES)
    made = static.built_in(BaseChoice(name="static"), platforms, Packing(), folder, packer(folder))
    layer = made[0].layers[0]
    registry.put_blob(host, "base", layer.digest, Path(layer.file))
    manifests: list[dict[str, object]] = []
    for platform in platforms:
        place: dict[str, object] = {"architecture": platform.architecture, "os": platform.os}
        config = json.dumps(place | {"config": {}, "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]}}).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI + "manifest.v1+json",
            "config": put_bytes(host, config, OCI + "config.v1+json", folder),
            "layers": [{"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size}],
        }
        digest = registry.put_manifest(host, "base", platform.architecture, manifest)
        size = len(json.dumps(manifest))
        manifests.append({"mediaType": manifest["mediaType"], "digest": digest, "size": size, "platform": place})
    index: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests}
    tar = folder / "base.tar"
    tar.write_bytes(gzip.decompress(Path(layer.file).read_bytes()))
    return f"{host}/base@{registry.put_manifest(host, 'base', 'latest', index)}", tar


def put_bytes(host: str, data: bytes, media_type: str, folder: Path) -> dict[str, object]:
    """The blob's descriptor."""
    import hashlib

    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    file = folder / "document"
    file.write_bytes(data)
    registry.put_blob(host, "base", digest, file)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def pushed_size(host: str, repository: str, edit: str) -> int:
    """Bytes to pull of the image tagged `bench`; EditMissingError unless `edit` is in it."""
    manifest = json.loads(registry.get(host, repository, "manifests", "bench"))
    if "manifests" in manifest:
        manifest = json.loads(registry.get(host, repository, "manifests", manifest["manifests"][0]["digest"]))
    layers = manifest["layers"]
    if not any(holds(registry.get(host, repository, "blobs", layer["digest"]), edit) for layer in reversed(layers)):
        raise EditMissingError(f"{repository} does not hold {edit}")
    return int(manifest["config"]["size"]) + sum(int(layer["size"]) for layer in layers)


def check_layout(layout: Path, edit: str) -> None:
    """EditMissingError unless some blob of the layout holds `edit`; the newest are looked at first."""
    blobs = sorted((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    if not any(holds(blob.read_bytes(), edit) for blob in blobs):
        raise EditMissingError(f"the layout does not hold {edit}")


def holds(blob: bytes, text: str) -> bool:
    """True when the blob, unpacked, contains `text`."""
    return text.encode() in (gzip.decompress(blob) if blob.startswith(GZIP) else blob)
