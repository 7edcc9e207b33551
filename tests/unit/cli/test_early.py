"""Blobs sent before anybody asked for them: only what is certainly meant, only to whom it is meant for, and never believed there
when it is not."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.registry import Answer, FakeRegistry, Fault, fake_registry
from wherry.cache.noop import wire
from wherry.cli import early
from wherry.oci.digest import of_bytes
from wherry.store import place as places
from wherry.store.places import at

TWO = Shape(platforms=("linux/amd64", "linux/arm64"), size=100_000)
REFUSED = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)


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

    def begin(self, digest: str = "") -> None:
        host, _, port = self.registry.host.partition(":")
        early.begin(str(self.layout), digest or str(self.built.digest), (host, int(port)), "team/app")

    def found(self, digest: str) -> tuple[bool, str]:
        return early.found(f"{self.registry.base}/v2/team/app/blobs/{digest}", lambda _: None)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no answer; and nothing is left from the test before."""
    monkeypatch.setattr(wire, "TIMEOUT", 60.0)
    monkeypatch.setattr(early, "_begun", {})


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with fake_registry() as registry:
        yield Yard(tmp_path, registry, TWO)


def test_every_blob_is_asked_for_begun_and_sent_once(yard: Yard) -> None:
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(True, "")] * 6
    assert {one: yard.file(one).read_bytes() for one in yard.digests} == yard.registry.blobs
    assert sorted(call.method for call in yard.registry.calls) == ["HEAD"] * 6 + ["POST"] * 6 + ["PUT"] * 6
    assert not any("manifests" in call.path for call in yard.registry.calls)
    assert not any("authorization" in call.headers for call in yard.registry.calls)


def test_what_nobody_sends_is_not_waited_for(yard: Yard) -> None:
    assert yard.found(yard.digests[0]) == (False, "")
    yard.begin()
    assert early.found(f"{yard.registry.base}/v2/team/other/blobs/{yard.digests[0]}", lambda _: None) == (False, "")


def test_what_is_there_is_not_sent(yard: Yard) -> None:
    """Nor counted as sent: whoever asks the registry hears it."""
    yard.begin()
    yard.found(yard.digests[-1])
    for one in yard.digests:
        yard.found(one)
    yard.registry.calls.clear()
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6
    assert {call.method for call in yard.registry.calls} == {"HEAD"}


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})),
        ("HEAD", Answer(307, {"Location": "/elsewhere"})),
        ("HEAD", Answer(500)),
        ("POST", Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})),
        ("POST", Answer(403)),
        ("POST", Answer(202)),
        ("POST", Answer(202, {"Location": "http://127.0.0.1:9/v2/x"})),
        ("POST", Answer(202, {"Location": "https://registry.example/v2/x"})),
        ("POST", Answer(202, {"Location": "//registry.example/v2/x"})),
        ("POST", Answer(201, {"Location": "/v2/x"})),
        ("POST", Answer(307, {"Location": "/v2/x"})),
    ],
)
def test_who_does_not_plainly_take_it_gets_no_byte(method: str, answer: Answer, yard: Yard) -> None:
    yard.registry.extra = lambda call: answer if call.method == method else None
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6
    assert {call.method for call in yard.registry.calls} == {"HEAD", method}
    assert yard.registry.blobs == {}


@pytest.mark.parametrize("status", [200, 202, 307, 400, 413, 416, 429, 500])
def test_a_no_to_the_whole_leaves_nothing_to_go_on_with(status: int, yard: Yard) -> None:
    yard.registry.faults = [Fault(method="PUT", status=status, headers={"Location": "/v2/x"}, times=99)]
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6


def test_another_digest_than_was_sent_is_not_believed(yard: Yard) -> None:
    yard.registry.faults = [Fault(method="PUT", status=201, headers={"Docker-Content-Digest": "sha256:0"}, times=99)]
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6


def test_a_damaged_blob_is_never_there(yard: Yard) -> None:
    """Of the right size, so only its digest says so, and the registry compares that before it keeps anything."""
    bad = yard.digests[0]
    data = bytearray(yard.file(bad).read_bytes())
    data[len(data) // 2] ^= 1
    yard.file(bad).write_bytes(data)
    yard.begin()
    assert [yard.found(one)[0] for one in yard.digests] == [False] + [True] * 5
    assert bad not in yard.registry.blobs


def test_where_it_broke_off_is_told(yard: Yard) -> None:
    yard.registry.location = f"{yard.registry.base}{{path}}"
    yard.registry.faults = [Fault(method="PUT", cut=True, times=99)]
    yard.begin()
    for one in yard.digests:
        there, location = yard.found(one)
        assert not there
        assert re.fullmatch(rf"{yard.registry.base}/v2/team/app/blobs/uploads/\d+\?state=a%2Fb", location)


def test_a_file_that_shrinks_meanwhile_is_not_filled_up(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    big = yard.digests[0]
    real, size = os.sendfile, yard.file(big).stat().st_size

    def shrinking(out: int, file: int, at: int, count: int) -> int:
        if count == size:
            os.truncate(yard.file(big), size // 2)
        return real(out, file, at, count)

    monkeypatch.setattr(os, "sendfile", shrinking)
    yard.begin()
    there, location = yard.found(big)
    assert not there
    assert location
    assert big not in yard.registry.blobs


def test_how_far_it_is_can_be_seen(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "TICK", 0.01)

    def slowly(call: object) -> None:
        time.sleep(0.05)

    yard.registry.authorize = slowly
    seen: list[int] = []
    yard.begin()
    early.found(f"{yard.registry.base}/v2/team/app/blobs/{yard.digests[0]}", seen.append)
    assert seen
    assert seen == sorted(seen)
    assert max(seen) <= yard.file(yard.digests[0]).stat().st_size


def test_layers_that_may_not_be_handed_on_stay(yard: Yard) -> None:
    manifest = yard.manifest()
    kept = manifest["layers"][0]
    kept["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    yard.file(kept["digest"]).unlink()
    yard.begin(yard.put(manifest))
    assert yard.found(kept["digest"]) == (False, "")
    assert yard.found(manifest["layers"][1]["digest"]) == (True, "")


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
}


def unclear(yard: Yard, digest: str) -> None:
    with pytest.raises(REFUSED):
        yard.begin(digest)
    assert yard.registry.calls == []
    assert yard.found(yard.digests[1]) == (False, "")


@pytest.mark.parametrize("how", FILES)
def test_an_image_is_begun_only_when_all_of_it_is_here(how: str, yard: Yard) -> None:
    FILES[how](yard.file(yard.digests[0]))
    unclear(yard, str(yard.built.digest))


@pytest.mark.parametrize("how", MANIFESTS)
def test_a_manifest_that_is_unclear(how: str, yard: Yard) -> None:
    manifest = yard.manifest()
    MANIFESTS[how](manifest)
    unclear(yard, yard.put(manifest))


@pytest.mark.parametrize("data", [b"[" * 200_000, b"[{}]", b"{}", b'{"manifests": []}', b"\xff", b""])
def test_what_is_no_manifest(data: bytes, yard: Yard) -> None:
    unclear(yard, yard.put(data))


def test_an_index_of_an_index_is_for_the_long_way(yard: Yard) -> None:
    row = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": str(yard.built.digest), "size": 1}
    unclear(yard, yard.put({"schemaVersion": 2, "manifests": [row]}))


def test_a_manifest_that_is_another_file(yard: Yard) -> None:
    digest = yard.put(yard.manifest() | {"annotations": {"a": "b"}})
    yard.file(digest).write_bytes(b"{}")
    unclear(yard, digest)
    piped(yard.file(digest))
    unclear(yard, digest)
    unclear(yard, "sha256:" + "0" * 64)
