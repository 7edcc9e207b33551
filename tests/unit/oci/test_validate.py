"""The validator: silent about good images, and one clear sentence for each thing that can be wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.support.packing import END, member, packed
from wherry.oci import media
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import of_bytes
from wherry.oci.platform import Platform
from wherry.oci.validate import problems

Change = Callable[[dict[str, Any], dict[str, Any]], None]


class Blobs:
    """An image of one layer whose documents can be bent before they are written."""

    def __init__(self, folder: Path, change: Change | None = None, layer: bytes = member(b"x", b"1") + END) -> None:
        made = packed(folder, layer)
        assert made.digest
        self.kept = {str(made.digest): Path(made.file).read_bytes()}
        self.config: dict[str, Any] = {
            "architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [made.diff_id]},
            "history": [{"created_by": "x"}, {"empty_layer": True}],
        }  # fmt: skip
        row = {"mediaType": media.OCI_LAYER_GZIP, "digest": made.digest, "size": len(self.kept[str(made.digest)])}
        self.manifest: dict[str, Any] = {"schemaVersion": 2, "mediaType": media.OCI_MANIFEST, "layers": [row]}
        self.manifest["config"] = {"mediaType": media.OCI_CONFIG}
        if change:
            change(self.manifest, self.config)
        self.manifest["config"] |= self.keep(self.config)
        self.top = self.describe(media.OCI_MANIFEST, self.manifest)

    def keep(self, document: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(document).encode()
        self.kept[str(of_bytes(data))] = data
        return {"digest": str(of_bytes(data)), "size": len(data)}

    def describe(self, media_type: str, document: dict[str, Any], platform: Platform | None = None) -> Descriptor:
        kept = self.keep(document)
        return Descriptor(
            media_type=media_type, digest=of_bytes(self.kept[kept["digest"]]), size=kept["size"], platform=platform
        )

    def open(self, descriptor: Descriptor) -> BinaryIO:
        return io.BytesIO(self.kept[descriptor.digest])


def test_a_good_image(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert problems(blobs.top, blobs.open) == ()


def _layer(manifest: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = manifest["layers"][0]
    return row


BENT: dict[str, tuple[Change, str]] = {
    "layer size": (lambda m, _: _layer(m).update(size=7), "not 7"),
    "diff id": (lambda _, c: c["rootfs"].update(diff_ids=["sha256:" + "0" * 64]), "not sha256:000"),
    "no diff id": (lambda _, c: c["rootfs"].update(diff_ids=[]), "1 layers and 0 diff ids"),
    "history": (lambda _, c: c.update(history=[{}, {}]), "2 lines of history"),
    "layer type": (lambda m, _: _layer(m).update(mediaType=media.DOCKER_LAYER_GZIP), media.DOCKER_LAYER_GZIP),
    "layer packing": (lambda m, _: _layer(m).update(mediaType=media.OCI_LAYER), "no archive"),
    "layer missing": (lambda m, _: _layer(m).update(digest="sha256:" + "1" * 64), "1" * 64),
    "config type": (lambda m, _: m["config"].update(mediaType=media.DOCKER_CONFIG), media.DOCKER_CONFIG),
    "root file system": (lambda _, c: c["rootfs"].update(type="squash"), "squash"),
    "schema": (lambda m, _: m.update(schemaVersion=1), "neither clearly"),
    "config without platform": (lambda _, c: c.pop("os"), "os"),
}


@pytest.mark.parametrize(("change", "said"), BENT.values(), ids=BENT.keys())
def test_what_does_not_fit(tmp_path: Path, change: Change, said: str) -> None:
    blobs = Blobs(tmp_path, change)
    (problem,) = problems(blobs.top, blobs.open)
    assert said in problem


def test_bytes_that_changed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    for digest, data in list(blobs.kept.items()):
        for bent in (data[:-1], data + b"x", bytes((data[0] ^ 1,)) + data[1:]):
            blobs.kept[digest] = bent
            assert len(problems(blobs.top, blobs.open)) == 1
        blobs.kept[digest] = data
    assert problems(blobs.top, blobs.open) == ()


def test_layers_that_hold_a_name_twice_or_are_no_archives(tmp_path: Path) -> None:
    twice, broken = (
        Blobs(tmp_path, layer=member(b"x") + member(b"./x") + END),
        Blobs(tmp_path, layer=member(b"../x") + END),
    )
    assert ["twice" in one for one in problems(twice.top, twice.open)] == [True]
    assert ["climbs" in one for one in problems(broken.top, broken.open)] == [True]


def test_an_index_and_its_platforms(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    rows = [
        {
            "mediaType": media.OCI_MANIFEST,
            "digest": blobs.top.digest,
            "size": blobs.top.size,
            "platform": {"os": "linux", "architecture": name},
        }
        for name in ("amd64", "arm64")
    ]
    top = blobs.describe(media.OCI_INDEX, {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": rows})
    (problem,) = problems(top, blobs.open)
    assert "listed for linux/arm64, but is for linux/amd64" in problem
    empty = blobs.describe(media.OCI_INDEX, {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": []})
    assert ["empty" in one for one in problems(empty, blobs.open)] == [True]
