"""A fresh push by the command, whose blobs are on their way before the program is there: what breaks off there is mended as ever.
A real registry behind a proxy that does harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import registry as fake
from tests.support.cli import Done, wherry
from tests.support.faults import Call, Fault, FaultProxy, Refusal
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.model.image import Built
from wherry.oci.digest import Digest
from wherry.oci.reference import parse
from wherry.store import place as places
from wherry.store.content import content_from
from wherry.store.places import at
from wherry.store.registry.keeper import Registry

BIG = Shape(layers=1, size=5 << 20, compression="none")
TWO = Shape(platforms=("linux/amd64", "linux/arm64"))
UPLOADS = "/blobs/uploads/"


class Yard:
    """A layout with one image, and what becomes of it."""

    def __init__(self, folder: Path, proxy: FaultProxy, shape: Shape) -> None:
        self.folder, self.proxy = folder, proxy
        self.built: Built = random_image(folder / "layers", shape=shape)
        at(places.parse(f"oci:{folder}/images:1"), ports(folder)).publish(self.built)

    @property
    def name(self) -> str:
        return f"{self.proxy.host}/{self.folder.name.lower()}:1"

    @property
    def size(self) -> int:
        return sum(one.size for one in self.built.images[0].layers)

    @property
    def layer(self) -> Digest:
        return self.built.images[0].layers[0].digest

    def push(self, *more: str) -> Done:
        return wherry("push", "oci:images:1", "-t", self.name, *more, home=self.folder / "home", cwd=self.folder)

    def right(self) -> bool:
        """Whether the tag is there and every byte beneath it is what it should be."""
        self.proxy.faults.clear()
        there = Registry(places.RegistryPlace(reference=parse(self.name)), ports(self.folder))
        content = content_from(there, there.open())
        for blob in content.blobs:
            for _ in content.open(blob.descriptor):
                pass
        return content.digest == self.built.digest


@pytest.mark.parametrize("shape", [TWO, BIG], ids=["two", "big"])
def test_each_blob_is_sent_once_and_counted(shape: Shape, proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, shape)
    done = yard.push()
    assert (done.code, done.stdout) == (0, f"{yard.name}@{yard.built.digest}\n"), done.stderr
    images = yard.built.images
    blobs = {layer.digest for image in images for layer in image.layers} | {image.config.digest for image in images}
    assert proxy.counted("PUT", UPLOADS) == proxy.counted("POST", UPLOADS) == len(blobs)
    assert proxy.counted("HEAD", "/blobs/") == len(blobs), "they were not asked for again"
    assert re.search(r"[0-9.]+ [Mk]B sent, in [0-9.]+ s\n", done.stderr)
    assert yard.right()
    assert "all of it was there already" in yard.push().stderr


@pytest.mark.parametrize("at", [0, 70_000, (2 << 20) + 17, 5 << 20])
def test_an_upload_that_was_cut_goes_on(at: int, proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, BIG)
    proxy.faults = [Fault("cut request", method="PUT", path=str(yard.layer), at=at)]
    done = yard.push()
    assert done.code == 0, done.stderr
    assert proxy.counted("GET", UPLOADS) == 1, "the registry was asked what it has"
    assert proxy.uploaded <= yard.size + at + 10_000, "this one forgets what came in one piece, and gets it anew; once"
    assert yard.right()


def test_a_registry_that_kept_something_gets_the_rest(tmp_path: Path) -> None:
    """In chunks, from the byte that it lacks, to where the upload broke off."""
    built = random_image(tmp_path / "layers", shape=BIG)
    layer = built.images[0].layers[0]
    has, begun, told = 2 << 20, "/v2/team/app/blobs/uploads/broken", []

    def upload(call: fake.Call) -> fake.Answer | None:
        if not call.path.startswith(begun):
            return None
        if call.method == "GET":
            return fake.Answer(204, {"Range": f"0-{has - 1}"})
        told.append((call.method, call.headers.get("content-range"), call.size))
        if call.method == "PATCH":
            return fake.Answer(202, {"Range": f"0-{layer.size - 1}"})
        registry.blobs[str(layer.digest)] = Path(layer.file).read_bytes()
        return fake.Answer(201)

    with fake.fake_registry() as registry:
        address = f"{registry.base}/v2/team/app/blobs/{layer.digest}"

        def early(asked: str, tell: Callable[[int], None]) -> tuple[bool, str]:
            tell(has)
            return False, registry.base + begun if asked == address else ""

        registry.extra = upload
        machine = replace(ports(tmp_path), early=early)
        assert at(places.parse(f"docker://{registry.host}/team/app:1"), machine).publish(built).digest == built.digest
    assert told == [("PATCH", f"{has}-{layer.size - 1}", layer.size - has), ("PUT", None, 0)]


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
@pytest.mark.parametrize("how", ["cut request", "lost answer"])
def test_a_cut_anywhere_is_mended(how: str, method: str, proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, TWO)
    proxy.faults = [Fault(how, method=method, path="/blobs/", at=100, times=3)]  # type: ignore[arg-type] # a parameter
    assert yard.push().code == 0
    assert yard.right()


def test_an_answer_that_was_lost_is_asked_for(proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, BIG)
    proxy.faults = [Fault("lost answer", method="PUT", path=UPLOADS, times=2)]
    assert yard.push().code == 0
    assert proxy.uploaded < yard.size + 10_000, "all of it was there, and was not sent again"
    assert yard.right()


@pytest.mark.parametrize("status", [413, 429, 500, 503])
def test_a_refusal_is_answered_as_ever(status: int, proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, BIG)

    def large(call: Call) -> Refusal | None:
        size = int(call.headers.get("content-length", "0"))
        return (413, {}, b"") if status == 413 and call.method == "PUT" and size > 2 << 20 else None

    proxy.gate = large
    if status != 413:
        proxy.faults = [Fault("status", method="PUT", path=UPLOADS, status=status, times=3)]
    assert yard.push().code == 0
    assert proxy.counted("PATCH") >= (3 if status == 413 else 0)
    proxy.gate = lambda _: None
    assert yard.right()


def test_a_damaged_blob_is_told_and_nothing_is_named(proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, BIG)
    file = tmp_path / "images/blobs" / yard.layer.path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    done = yard.push()
    assert (done.code, "error [digest-mismatch]" in done.stderr) == (5, True), done.stderr
    assert proxy.counted("PUT", "/manifests/") == 0
    assert at(places.parse(f"docker://{yard.name}"), ports(tmp_path)).head() is None  # type: ignore[attr-defined] # of registries


def test_another_option_begins_nothing_early(proxy: FaultProxy, tmp_path: Path) -> None:
    yard = Yard(tmp_path, proxy, TWO)
    assert yard.push("--json").code == 0
    assert proxy.calls[0].method == "HEAD"
    assert yard.right()
