"""Images that are not begun to be sent: what is not all here, what is not clear, and what the long way refuses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.begun import TWO, Yard, described
from tests.support.registry import fake_registry
from wherry.cache.noop import wire
from wherry.cli import early
from wherry.cli.present import UNUSUAL
from wherry.oci import media


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no answer; and nothing is left from the test before."""
    monkeypatch.setattr(wire, "TIMEOUT", 60.0)
    monkeypatch.setattr(early, "UNSEEN", 60.0)
    monkeypatch.setattr(early, "_begun", {})


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with fake_registry() as registry:
        yield Yard(tmp_path, registry, TWO)


def piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def folded(file: Path) -> None:
    file.unlink()
    file.mkdir()


FILES: dict[str, Callable[[Path], object]] = {
    "not there": Path.unlink,
    "shorter": lambda file: os.truncate(file, 10),
    "a pipe": piped,
    "a folder": folded,
}
MANIFESTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a climbing digest": lambda one: one["layers"][0].update(digest="sha256:../../../../../etc/passwd"),
    "a number as digest": lambda one: one["layers"][0].update(digest=5),
    "no size": lambda one: one["layers"][0].update(size=None),
    "no whole size": lambda one: one["layers"][0].update(size=float(one["layers"][0]["size"])),
    "no layers": lambda one: one.pop("layers"),
    "no media type": lambda one: one["config"].pop("mediaType"),
    "a layer that may not be handed on": lambda one: one["layers"][0].update(
        mediaType="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
    "a subject": lambda one: one.update(subject=one["config"]),
    "another form": lambda one: one.update(mediaType="application/vnd.docker.distribution.manifest.v1+json"),
    "no form": lambda one: one.pop("mediaType"),
    "another version": lambda one: one.update(schemaVersion=1),
    "a layer as config": lambda one: one.update(config=one["layers"][0]),
    "an index as well": lambda one: one.update(manifests=[]),
    "another number of layers": lambda one: one["layers"].append(one["layers"][0]),
    "a number beside texts": lambda one: one.update(annotations={"a": 1}),
    "a number that nothing holds": lambda one: one.update(unknown=10**40),
    "half a letter": lambda one: one.update(annotations={"a": "\ud800"}),
}


def unclear(yard: Yard, digest: str, kind: str = media.OCI_MANIFEST) -> None:
    with pytest.raises(UNUSUAL):
        yard.begin(digest, kind)
    assert yard.registry.calls == []
    assert yard.found(yard.digests[1]) == (False, "")


@pytest.mark.parametrize("how", FILES)
def test_an_image_is_begun_only_when_all_of_it_is_here(how: str, yard: Yard) -> None:
    FILES[how](yard.file(yard.digests[0]))
    unclear(yard, str(yard.top.digest), yard.top.media_type)


@pytest.mark.parametrize("how", MANIFESTS)
def test_a_manifest_that_is_unclear(how: str, yard: Yard) -> None:
    manifest = yard.manifest()
    MANIFESTS[how](manifest)
    unclear(yard, yard.put(manifest))


@pytest.mark.parametrize(("kind", "size"), [(media.DOCKER_MANIFEST, 0), (media.OCI_INDEX, 0), (media.OCI_MANIFEST, 1)])
def test_an_entry_that_does_not_fit_its_manifest(kind: str, size: int, yard: Yard) -> None:
    image = yard.built.images[0].manifest
    top = described(kind, str(image.digest), image.size + size)
    with pytest.raises(UNUSUAL):
        early.Begun(str(yard.layout), top, ("127.0.0.1", 1), "team/app")


def test_a_name_that_stands_twice(yard: Yard) -> None:
    data = yard.built.images[0].manifest.data
    unclear(yard, yard.put(data.replace(b'"layers"', b'"layers":[],"layers"')))


@pytest.mark.parametrize("number", [0, early.MOST + 1])
def test_an_index_of_none_and_of_too_many(number: int, yard: Yard) -> None:
    image = yard.built.images[0].manifest
    row = described(image.media_type, str(image.digest), image.size)
    index = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [row] * number}
    unclear(yard, yard.put(index), media.OCI_INDEX)
    assert yard.begin(yard.put(index | {"manifests": [row]}), media.OCI_INDEX).finish(["1"])


@pytest.mark.parametrize("data", [b"[" * 200_000, b"[{}]", b"{}", b'{"manifests": []}', b"\xff", b""])
def test_what_is_no_manifest(data: bytes, yard: Yard) -> None:
    unclear(yard, yard.put(data))


def test_an_index_of_an_index_is_for_the_long_way(yard: Yard) -> None:
    row = described(media.OCI_INDEX, str(yard.top.digest), yard.top.size)
    index = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [row]}
    unclear(yard, yard.put(index), media.OCI_INDEX)


def test_a_manifest_that_is_another_file(yard: Yard) -> None:
    digest = yard.put(yard.manifest() | {"annotations": {"a": "b"}})
    yard.file(digest).write_bytes(b"{}")
    unclear(yard, digest)
    piped(yard.file(digest))
    unclear(yard, digest)
    unclear(yard, "sha256:" + "0" * 64)
