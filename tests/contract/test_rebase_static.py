"""`wherry rebase` of what stands on wherry's own bases: newer certificates and zones beneath the same program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from msgspec.structs import replace

from tests.support.certificates import Authority
from tests.support.cli import wherry
from tests.support.found import bases, configured
from tests.support.images import random_image
from tests.support.packing import packer
from tests.support.plans import AMD64, ARM64, build, plan
from tests.support.ports import ports
from wherry.assemble import static
from wherry.errors import RefusedError
from wherry.flows.rebase import RebaseRequest, rebase
from wherry.model.image import Built
from wherry.model.plan import BaseChoice, ImagePlan, Packing
from wherry.oci import media
from wherry.oci.config import Config, RunConfig
from wherry.oci.descriptor import Document, decode
from wherry.store import artifact
from wherry.store import place as places
from wherry.store.places import at
from wherry.system.machine import real_machine


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    return tmp_path


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """The certificates and zones of another day, as long as this fixture's `undo` was not called."""
    bundle = folder / "older.pem"
    text = Path(certifi.where()).read_text()
    bundle.write_text("\n# Issuer: another day" + text.partition("\n# Issuer")[2].partition("\n# Issuer")[2])
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    monkeypatch.setattr(static, "versions", lambda: ("2020.1.1", "2020a"))
    yield
    monkeypatch.undo()


def built(image: ImagePlan, folder: Path) -> Built:
    return build(image, folder, packer(folder / "packer"))


def put(made: Built, folder: Path, name: str = "oci:{}/images:app") -> str:
    place = name.format(folder)
    at(places.parse(place), ports(folder)).publish(made)
    return place


PLANS = {
    "one platform": plan(),
    "two platforms": plan(platforms=(AMD64, ARM64)),
    "Docker's format": plan(packing=Packing(format="docker")),
    "zstd": plan(packing=Packing(compression="zstd")),
    "own settings": plan(environment=(("A", "b"),), labels=(("team", "edge"),), working_directory="/srv"),
}


@pytest.mark.parametrize("name", PLANS)
def test_newer_certificates_are_what_a_build_would_give(
    name: str, folder: Path, older: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = built(PLANS[name], folder)
    place = put(before, folder)
    changed_home(monkeypatch, folder)
    after = built(PLANS[name], folder)
    assert after.digest != before.digest
    done = rebase(RebaseRequest(subject=place), real_machine())
    assert (done.old, done.digest) == (before.digest, after.digest)
    stored = at(places.parse(place), ports(folder)).open()
    assert stored.descriptor.digest == after.digest
    blobs = folder / "images/blobs"
    assert all((blobs / layer.digest.path).is_file() for image in stored.images for layer in image.layers)
    assert rebase(RebaseRequest(subject=place), real_machine()).digest == after.digest


def changed_home(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Today's certificates again, in the home that the test had."""
    monkeypatch.undo()
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))


def test_ones_own_authorities_go_along(folder: Path, older: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.pem").write_bytes(Authority(folder / name).ca.read_bytes())
    wanted = plan(base=BaseChoice(name="static", certificates=("one.pem", "two.pem")))
    place = put(built(wanted, folder), folder)
    changed_home(monkeypatch, folder)
    after = built(wanted, folder)
    assert rebase(RebaseRequest(subject=place), real_machine()).digest == after.digest


def test_the_well_known_bundle_has_comments_above_each_authority() -> None:
    """By which one's own are told from them."""
    text = Path(certifi.where()).read_text()
    assert text.count("-----BEGIN") == text.count("# Issuer") > 50
    assert "-----END CERTIFICATE-----\n-----BEGIN" not in text


def test_from_static_to_scratch_and_to_another_base(folder: Path) -> None:
    before = built(plan(), folder)
    place = put(before, folder)
    bare = rebase(RebaseRequest(subject=place, base="scratch", places=(f"oci:{folder}/bare:1",)), real_machine())
    stored = at(places.parse(f"oci:{folder}/bare:1"), ports(folder)).open()
    assert stored.descriptor.digest == bare.digest
    assert [layer.digest for layer in stored.images[0].layers] == [before.images[0].layers[-1].digest]
    base = random_image(folder / "layers", seed=3)
    put(base, folder, "oci:{}/base:1")
    wanted = RebaseRequest(subject=place, base=f"oci:{folder}/base:1", places=(f"oci:{folder}/moved:1",))
    moved = rebase(wanted, real_machine())
    on = build(plan(), folder, packer(folder / "packer"), bases(base, f"oci:{folder}/base:1"))
    assert moved.digest == on.digest


def test_onto_static_from_scratch_and_from_another_base(folder: Path) -> None:
    wanted = built(plan(), folder)
    place = put(built(plan(base=BaseChoice(name="scratch")), folder), folder)
    done = rebase(RebaseRequest(subject=place, base="static", places=(f"oci:{folder}/new:1",)), real_machine())
    layers = at(places.parse(f"oci:{folder}/new:1"), ports(folder)).open().images[0].layers
    assert layers[0].digest == wanted.images[0].layers[0].digest
    base = random_image(folder / "layers", seed=3)
    put(base, folder, "oci:{}/base:1")
    on = build(plan(), folder, packer(folder / "packer"), bases(base, f"oci:{folder}/base:1"))
    place = put(on, folder, "oci:{}/images:on")
    request = RebaseRequest(subject=place, old_base=f"oci:{folder}/base:1", base="static")
    assert rebase(request, real_machine()).digest == wanted.digest
    assert done.digest != wanted.digest, "mount points stay in the layer that had them"


def test_a_layer_that_only_says_so_is_refused(folder: Path) -> None:
    made = random_image(folder / "layers", seed=1)
    image = made.images[0]
    settings = decode(image.config.data, Config, name="config")
    lines = [replace(line, created_by="wherry static base: certificates 1, zones 1") for line in settings.history or ()]
    lying = configured(made, RunConfig(), tuple(lines))
    with pytest.raises(RefusedError) as caught:
        rebase(RebaseRequest(subject=put(lying, folder)), real_machine())
    assert (caught.value.name, "it holds /app" in caught.value.why) == ("not-on-base", True)


@pytest.mark.parametrize("words", [("--old-base", "static"), ("--old-base", "scratch", "--base", "static")])
def test_an_artifact_stands_on_nothing(words: tuple[str, ...], folder: Path) -> None:
    made = artifact.made(Document(media_type=media.OCI_MANIFEST, data=b"{}"), b"x", kind="a/b")
    at(places.parse(f"oci:{folder}/things:1"), ports(folder)).put(made)
    done = wherry("rebase", "oci:things:1", *words, home=folder, cwd=folder)
    assert (done.code, "[not-an-image]" in done.stderr) == (2, True), done.stderr


def test_scratch_has_nothing_newer(folder: Path) -> None:
    put(built(plan(base=BaseChoice(name="scratch")), folder), folder)
    done = wherry("rebase", "oci:images:app", home=folder, cwd=folder)
    assert done.code == 1
    assert "scratch is nothing, so there is nothing newer" in " ".join(done.stderr.split())
