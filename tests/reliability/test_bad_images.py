"""B, C07, C09: images that are not what they say. One clear error each, nothing under the tag, and the next copy succeeds."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Done, wherry
from tests.support.images import random_image
from tests.support.odd_images import Laid, whole
from tests.support.packing import END, member
from tests.support.ports import ports
from tests.support.registry import FakeRegistry, fake_registry
from wherry.errors import WherryError
from wherry.flows.copy import CopyRequest, place_of
from wherry.flows.copy import copied as flow
from wherry.oci import media
from wherry.oci.digest import of_bytes
from wherry.store import place as places
from wherry.store.places import at

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}'


def config(laid: Laid, *diff_ids: str) -> dict[str, Any]:
    return laid.blob(CONFIG % ",".join(f'"{one}"' for one in diff_ids).encode(), media.OCI_CONFIG)


def image(laid: Laid, *layers: bytes) -> dict[str, Any]:
    """An image of these tars."""
    rows = [laid.blob(gzip.compress(tar, mtime=0), media.OCI_LAYER_GZIP) for tar in layers]
    settings = config(laid, *(of_bytes(tar) for tar in layers))
    return laid.document(media.OCI_MANIFEST, config=settings, layers=rows)


def large_config(laid: Laid) -> dict[str, Any]:
    return laid.document(media.OCI_MANIFEST, config=config(laid) | {"size": 10 << 30}, layers=[])


def wrong_size(laid: Laid) -> dict[str, Any]:
    return laid.document(media.OCI_MANIFEST, config=config(laid) | {"size": 7}, layers=[])


def nested(laid: Laid) -> dict[str, Any]:
    inner = image(laid)
    for _ in range(6):
        inner = laid.document(media.OCI_INDEX, manifests=[inner])
    return inner


def both_kinds(laid: Laid) -> dict[str, Any]:
    return laid.document(media.OCI_MANIFEST, config=config(laid), layers=[], manifests=[])


def no_child(laid: Laid) -> dict[str, Any]:
    gone = {"mediaType": media.OCI_MANIFEST, "digest": f"sha256:{'0' * 64}", "size": 3}
    return laid.document(media.OCI_INDEX, manifests=[gone])


def odd_child(laid: Laid) -> dict[str, Any]:
    old = laid.blob(b'{"schemaVersion":1}', "application/vnd.docker.distribution.manifest.v1+prettyjws")
    return laid.document(media.OCI_INDEX, manifests=[image(laid), old])


def few_diff_ids(laid: Laid) -> dict[str, Any]:
    layer = laid.blob(b"x", media.OCI_LAYER)
    return laid.document(media.OCI_MANIFEST, config=config(laid), layers=[layer])


def bad_digest(laid: Laid) -> dict[str, Any]:
    climbing = {"mediaType": media.OCI_LAYER, "digest": "sha256:../../../etc/passwd", "size": 3}
    return laid.document(media.OCI_MANIFEST, config=config(laid), layers=[climbing])


BAD: tuple[tuple[str, Callable[[Laid], dict[str, Any]]], ...] = (
    ("too-large", large_config),
    ("long-blob", wrong_size),
    ("too-deep", nested),
    ("manifest-kind", both_kinds),
    ("missing-blob", no_child),
    ("unknown-child", odd_child),
    ("layer-count", few_diff_ids),
    ("bad-digest", bad_digest),
)


def copied(folder: Path, *words: str) -> Done:
    return wherry("copy", *words, home=folder / "home", cwd=folder)


def moved(folder: Path, source: str, target: str) -> None:
    """The same inside this process."""
    request = CopyRequest(source=source, destinations=(target,))
    flow(place_of(source), (place_of(target),), request, ports(folder))


def name_of(done: Done) -> str:
    found = re.findall(r"^error \[([a-z0-9-]+)\]", done.stderr, re.MULTILINE)
    assert len(found) == 1, done.stderr
    assert done.stdout == ""
    return str(found[0])


@pytest.mark.parametrize(("name", "make"), BAD, ids=[row[0] for row in BAD])
@pytest.mark.parametrize("target", ["oci:target:1", "store:target:1", "oci-archive:target.tar:1"])
def test_a_bad_image_is_one_error_and_no_tag(
    name: str, make: Callable[[Laid], dict[str, Any]], target: str, tmp_path: Path
) -> None:
    laid, there = Laid(tmp_path / "source"), target.replace("target", f"{tmp_path}/target", target.startswith("oci"))
    place = laid.tagged("1", make(laid))
    with pytest.raises(WherryError) as caught:
        moved(tmp_path, place, there)
    assert caught.value.name == name
    with pytest.raises(WherryError) as caught:
        at(places.parse(there), ports(tmp_path)).open()
    assert caught.value.name in ("no-such-image", "not-a-layout")
    moved(tmp_path, laid.tagged("2", image(laid, member(b"a", b"b") + END)), there)
    assert at(places.parse(there), ports(tmp_path)).open().images


def pushed(registry: FakeRegistry, folder: Path) -> str:
    place = f"docker://{registry.host}/app:1"
    at(places.parse(place), ports(folder)).publish(random_image(folder / "layers", seed=61))
    return place


@pytest.mark.parametrize("target", ["oci:target:1", "store:target:1", "docker-archive:target.tar:app:1"])
def test_a_corrupt_blob_is_refused_and_the_next_run_takes_the_right_one(target: str, tmp_path: Path) -> None:
    """What came rightly before it stays; the cache for archives and engines keeps nothing wrong."""
    with fake_registry() as registry:
        place = pushed(registry, tmp_path)
        digest, right = max(registry.blobs.items(), key=lambda pair: len(pair[1]))
        registry.blobs[digest] = right[:-1] + bytes([right[-1] ^ 1])
        assert name_of(copied(tmp_path, place, target)) == "digest-mismatch"
        assert wherry("inspect", target, home=tmp_path / "home", cwd=tmp_path).code != 0
        registry.blobs[digest] = right
        assert copied(tmp_path, place, target).code == 0
        if target.startswith("oci:"):
            assert whole(f"oci:{tmp_path}/target:1", tmp_path).keys() == whole(place, tmp_path).keys()


def test_what_is_not_there(tmp_path: Path) -> None:
    with fake_registry() as registry:
        place = pushed(registry, tmp_path)
        done = copied(tmp_path, f"docker://{registry.host}/app:none", "oci:target:1")
        assert (name_of(done), done.code) == ("registry-not-found", 4)
        done = copied(tmp_path, place, "oci:target:1", "--platform", "linux/s390x")
        assert (name_of(done), done.code) == ("no-platform", 2)
        assert "it has linux/amd64" in done.stderr
        assert not (tmp_path / "target").exists()


def test_schema_1_is_named(tmp_path: Path) -> None:
    body = json.dumps({"schemaVersion": 1, "name": "app", "tag": "1", "fsLayers": [], "history": []}).encode()
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    with fake_registry() as registry:
        registry.manifests["app:1"] = (body, kind)
        registry.manifests[f"app@{of_bytes(body)}"] = (body, kind)
        assert name_of(copied(tmp_path, f"docker://{registry.host}/app:1", "oci:target:1")) == "schema-1"


LAYERS = (
    ("bomb", member(b"zeros", bytes(256 << 20)) + END),
    ("bad-tar", member(b"../../etc/passwd", b"x") + END),
    ("bad-tar", member(b"a", b"b") + b"rubbish" * 100),
)


@pytest.mark.parametrize(("name", "layer"), LAYERS, ids=["bomb", "climbing", "rubbish"])
def test_a_layer_is_copied_as_it_is_and_refused_where_it_is_read(name: str, layer: bytes, tmp_path: Path) -> None:
    """A copy opens no layer; a rebase reads the image's own ones, and says what is wrong with one."""
    laid = Laid(tmp_path / "source")
    base = laid.tagged("base", image(laid, member(b"base", b"b") + END))
    place = laid.tagged("app", image(laid, member(b"base", b"b") + END, layer))
    assert copied(tmp_path, place, "oci:target:1").code == 0
    done = wherry(
        "rebase", place, "--old-base", base, "--base", base, "-o", "oci:rebased:1", home=tmp_path / "home", cwd=tmp_path
    )
    assert name_of(done) == name
    assert not (tmp_path / "rebased").exists()
