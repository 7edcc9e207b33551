"""`wherry rebase` and `annotate` over real registries: same layers, new base, or a reason."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.cli import Done, wherry
from tests.support.found import bases, configured
from tests.support.images import Shape, random_image
from tests.support.packing import packer
from tests.support.plans import build, plan
from tests.support.ports import ports
from wherry.model.image import Built, Image
from wherry.oci.config import RunConfig
from wherry.store import place as places
from wherry.store.places import at

BOTH = Shape(platforms=("linux/amd64", "linux/arm64"))


class Yard:
    """A registry with an old base, a new one under the same tag, and an application on the old one."""

    def __init__(self, host: str, folder: Path) -> None:
        self.folder = folder
        self.root = f"{host}/{folder.name.lower()}"
        self.base, self.app = f"{self.root}/base:1", f"{self.root}/app:1"

    def put(self, built: Built, name: str) -> None:
        at(places.parse(f"docker://{name}"), ports(self.folder)).publish(built)

    def build(self, base: Built) -> Built:
        annotated = plan(platforms=tuple(image.platform for image in base.images))
        return build(annotated, self.folder, packer(self.folder / "packer"), bases(base, f"docker://{self.base}"))

    def run(self, *words: str) -> Done:
        return wherry(*words, home=self.folder / "home", cwd=self.folder)

    def refused(self, *words: str) -> str:
        done = self.run(*words)
        assert (done.code, done.stdout) == (1, ""), done.stderr
        return " ".join(done.stderr.split())


@pytest.fixture
def yard(docker_registry: str, tmp_path: Path) -> Yard:
    return Yard(docker_registry, tmp_path)


def test_a_rebase_without_a_word_takes_what_the_name_means_today(yard: Yard) -> None:
    """For two platforms at once, and the digest is the one that a build would give."""
    old, new = (random_image(yard.folder / str(seed), seed=seed, shape=BOTH) for seed in (1, 2))
    before, after = yard.build(old), yard.build(new)
    yard.put(old, yard.base)
    yard.put(before, yard.app)
    yard.put(new, yard.base)
    done = yard.run("rebase", yard.app)
    assert (done.code, done.stdout) == (0, f"{yard.app}@{after.digest}\n"), done.stderr
    assert yard.run("rebase", yard.app).stdout == f"{yard.app}@{after.digest}\n"
    raw = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{yard.app}"], capture_output=True, check=True
    )
    assert raw.stdout == after.content.document.data


def test_a_base_that_is_gone_can_be_named_elsewhere(yard: Yard) -> None:
    old, new = (random_image(yard.folder / str(seed), seed=seed) for seed in (1, 2))
    before, after = yard.build(old), yard.build(new)
    yard.put(before, yard.app)
    yard.put(new, yard.base)
    assert "error [no-base]: the old base is not at" in yard.refused("rebase", yard.app)
    at(places.parse(f"oci:{yard.folder}/old:1"), ports(yard.folder)).publish(old)
    done = yard.run("rebase", yard.app, "--old-base", "oci:old:1", "-o", "oci:new:1")
    assert done.stdout == f"{yard.app}@{after.digest}\n", done.stderr


def test_an_image_of_another_base_is_refused_and_nothing_changes(yard: Yard) -> None:
    old, new, other = (random_image(yard.folder / str(seed), seed=seed) for seed in (1, 2, 3))
    built = yard.build(other)
    yard.put(built, yard.app)
    yard.put(old, yard.base)
    said = yard.refused("rebase", yard.app, "--old-base", yard.base, "--base", yard.base)
    assert "error [not-on-base]: the image for linux/amd64 does not stand on" in said
    assert new.digest != old.digest
    assert at(places.parse(f"docker://{yard.app}"), ports(yard.folder)).open().descriptor.digest == built.digest


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"entrypoint": ("/bin/sh", "-c", "true")}, "it starts /bin/sh"),
        ({"user": "somebody"}, "it runs as 'somebody'"),
    ],
    ids=["shell", "user"],
)
def test_an_image_that_needs_its_base_is_refused(yard: Yard, change: dict[str, Any], why: str) -> None:
    old, new = (random_image(yard.folder / str(seed), seed=seed) for seed in (1, 2))
    yard.put(old, yard.base)
    built = yard.build(old)
    yard.put(configured(built, replace(settings(built.images[0]), **change)), yard.app)
    yard.put(new, yard.base)
    said = yard.refused("rebase", yard.app)
    assert "error [needs-base]" in said
    assert why in said


def test_a_dynamic_program_is_checked_against_the_new_base(yard: Yard) -> None:
    """`true` of this machine asks for a loader, which a base of random bytes does not have."""
    old, new = (random_image(yard.folder / str(seed), seed=seed) for seed in (1, 2))
    yard.put(old, yard.base)
    image = plan()
    (yard.folder / "bin/linux/amd64").mkdir(parents=True)
    shutil.copy("/bin/true", yard.folder / "bin/linux/amd64/hello")
    yard.put(build(image, yard.folder, packer(yard.folder / "p"), bases(old, f"docker://{yard.base}")), yard.app)
    yard.put(new, yard.base)
    assert "error [base-loader]" in yard.refused("rebase", yard.app)


def test_annotating_keeps_the_layers(yard: Yard) -> None:
    built = random_image(yard.folder / "layers", seed=1, shape=BOTH)
    yard.put(built, yard.app)
    done = yard.run("annotate", yard.app, "--annotation", "a=b", "--label", "team=edge")
    assert done.code == 0, done.stderr
    stored = at(places.parse(f"docker://{yard.app}"), ports(yard.folder)).open()
    assert done.stdout == f"{yard.app}@{stored.descriptor.digest}\n"
    assert stored.annotations == {"a": "b"}
    for image, before in zip(stored.images, built.images, strict=True):
        assert [layer.digest for layer in image.layers] == [layer.digest for layer in before.layers]
        assert (image.settings.config or RunConfig()).labels == (settings(before).labels or {}) | {"team": "edge"}
    by_digest = f"{yard.app.rpartition(':')[0]}@{built.digest}"
    assert yard.run("inspect", f"docker://{by_digest}").code == 0


def settings(image: Image) -> RunConfig:
    from wherry.oci.config import Config
    from wherry.oci.descriptor import decode

    return decode(image.config.data, Config, name="config").config or RunConfig()


def test_an_unknown_base_is_asked_for(yard: Yard) -> None:
    yard.put(configured(random_image(yard.folder / "layers", seed=1), RunConfig()), yard.app)
    assert "error [no-base]: nothing says which base" in yard.refused("rebase", yard.app)
