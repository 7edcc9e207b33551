"""Images on other bases: the same bytes as a rebuild, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.found import bases, configured, found
from tests.support.images import Shape, random_image
from tests.support.packing import packer
from tests.support.plans import AMD64, ARM64, build, plan
from wherry.assemble.rebase import BASE_DIGEST, BASE_NAME, Basis, Move, base_of, rebased
from wherry.assemble.revise import Revised
from wherry.errors import RefusedError, UsageError
from wherry.model.image import Built, Image, Stored
from wherry.oci.config import Config, History, RunConfig
from wherry.oci.descriptor import Document, decode, encode
from wherry.oci.manifest import Manifest

BOTH = Shape(platforms=("linux/amd64", "linux/arm64"))


def basis(built: Built, name: str) -> Basis:
    stored = found(built)
    return Basis(name=name, reference=name, digest=stored.descriptor.digest, images=stored.images)


def moved(stored: Stored, old: Built, new: Built, **more: str) -> Revised:
    return rebased(
        stored,
        Move(
            old=basis(old, "reg.example/base:1"), new=basis(new, "reg.example/base:2"), created=more.get("created", "")
        ),
    )


def settings(revised: Revised) -> Config:
    manifest = decode(revised.documents[0].data, Manifest, name="manifest")
    (config,) = (one for one in revised.documents if one.digest == manifest.config.digest)
    return decode(config.data, Config, name="config")


@pytest.mark.parametrize(
    ("old_env", "new_env"),
    [
        (None, None),
        (("PATH=/bin", "A=1", "B=2"), ("C=3", "PATH=/usr/bin:/bin", "B=4")),
        (("PATH=/bin", "OWN=base"), ("OWN=newer", "X=1")),
    ],
)
def test_a_rebase_is_a_rebuild(
    tmp_path: Path, old_env: tuple[str, ...] | None, new_env: tuple[str, ...] | None
) -> None:
    """Byte for byte, for one platform and for several, whatever the two bases say."""
    use = packer(tmp_path)
    bottom = RunConfig(env=old_env, user="nobody", labels={"base": "1"}, cmd=("/bin/sh",), working_dir="/srv")
    old = configured(random_image(tmp_path / "old", seed=1), bottom)
    new = configured(
        random_image(tmp_path / "new", seed=2, shape=Shape(layers=3)), RunConfig(env=new_env, cmd=("/bin/ash",))
    )
    image = plan(environment=(("OWN", "app"), ("Z", "26")), labels=(("a", "b"),), annotations=(("k", "v"),), created=9)
    before = build(image, tmp_path, use, bases(old, "docker://reg.example/base:1"))
    after = build(image, tmp_path, use, bases(new, "docker://reg.example/base:2"))
    result = moved(found(before), old, new)
    assert result.descriptor.digest == after.digest


def test_every_platform_moves(tmp_path: Path) -> None:
    use = packer(tmp_path)
    old, new = (random_image(tmp_path / str(seed), seed=seed, shape=BOTH) for seed in (1, 2))
    image = plan(platforms=(AMD64, ARM64), annotations=(("k", "v"),))
    before = build(image, tmp_path, use, bases(old, "docker://reg.example/base:1"))
    after = build(image, tmp_path, use, bases(new, "docker://reg.example/base:2"))
    result = moved(found(before), old, new)
    assert result.descriptor.digest == after.digest
    assert [(one.platform, one.old, one.new) for one in result.replaced] == [
        (was.platform, was.digest, now.digest) for was, now in zip(before.images, after.images, strict=True)
    ]


def test_the_base_is_known_by_its_annotations(tmp_path: Path) -> None:
    old = random_image(tmp_path / "old", seed=1)
    built = build(plan(), tmp_path, packer(tmp_path), bases(old, "docker://reg.example/base:1"))
    assert base_of(found(built)) == ("reg.example/base:1", (old.digest,))
    assert base_of(found(old)) == ("", ())


@pytest.mark.parametrize(
    "wrong", [{BASE_DIGEST: "garbage"}, {BASE_NAME: "???"}, {BASE_NAME: ""}], ids=["digest", "name", "no name"]
)
def test_annotations_that_hold_something_else_name_no_base(wrong: dict[str, str], tmp_path: Path) -> None:
    """Nor do they stand in the way of who says which it is."""
    old = random_image(tmp_path / "old", seed=1)
    built = build(plan(), tmp_path, packer(tmp_path), bases(old, "docker://reg.example/base:1"))
    right = decode(built.content.document.data, Manifest, name="manifest")
    said = encode(replace(right, annotations=right.annotations | wrong))
    manifest = Document(media_type=right.media_type, data=said)
    assert isinstance(built.content, Image)
    assert base_of(found(replace(built, content=replace(built.content, manifest=manifest))))[0] == ""


@pytest.mark.parametrize("known", [True, False], ids=["the base's in front", "another in front"])
def test_what_made_no_layer_stays_when_it_is_the_image_s_own(known: bool, tmp_path: Path) -> None:
    """Where that cannot be told, what stands before its first layer goes with the base."""
    step, own = History(created_by="ENV A=1", empty_layer=True), History(created_by="COPY app")
    below = (History(created_by="ADD base"), History(created_by="CMD sh", empty_layer=True))
    old, new = (random_image(tmp_path / str(seed), seed=seed, shape=Shape(layers=1)) for seed in (1, 2))
    old = configured(old, RunConfig(), below if known else (History(created_by="ADD"),))
    built = build(plan(), tmp_path, packer(tmp_path), bases(old, "docker://reg.example/base:1"))
    more = (own,) * (len(built.images[0].layers) - 1)
    result = moved(found(configured(built, RunConfig(), (*below, step, *more))), old, new)
    (theirs,) = decode(new.images[0].config.data, Config, name="config").history or ()
    assert settings(result).history == (theirs, *((step,) if known else ()), *more)


def test_an_image_of_another_base_is_refused(tmp_path: Path) -> None:
    old, new, other = (random_image(tmp_path / str(seed), seed=seed) for seed in (1, 2, 3))
    built = build(plan(), tmp_path, packer(tmp_path), bases(other, "docker://reg.example/base:1"))
    with pytest.raises(RefusedError, match=r"does not stand on reg\.example") as caught:
        moved(found(built), old, new)
    assert caught.value.why.startswith("layer 1 of 2 is sha256:")
    with pytest.raises(RefusedError) as caught:
        moved(found(old), random_image(tmp_path / "more", seed=1, shape=Shape(layers=3)), new)
    assert caught.value.name == "not-on-base"


def test_a_platform_that_the_new_base_lacks_is_named(tmp_path: Path) -> None:
    old = random_image(tmp_path / "old", seed=1, shape=BOTH)
    built = build(plan(platforms=(AMD64, ARM64)), tmp_path, packer(tmp_path), bases(old, "docker://reg.example/base:1"))
    with pytest.raises(UsageError, match="no image for linux/arm64") as caught:
        moved(found(built), old, random_image(tmp_path / "new", seed=2))
    assert (caught.value.name, caught.value.why) == ("no-platform", "it has linux/amd64")


def test_no_image_becomes_root_quietly(tmp_path: Path) -> None:
    old = configured(random_image(tmp_path / "old", seed=1), RunConfig(user="65532"))
    new = configured(random_image(tmp_path / "new", seed=2), RunConfig(user="0"))
    built = build(plan(user="65532"), tmp_path, packer(tmp_path), bases(old, "docker://reg.example/base:1"))
    result = moved(found(built), old, new)
    assert (settings(result).config or RunConfig()).user == "65532"
    assert [finding.name for finding in result.findings] == ["kept-user"]


def test_the_time_is_kept_unless_given(tmp_path: Path) -> None:
    old, new = (random_image(tmp_path / str(seed), seed=seed) for seed in (1, 2))
    built = build(plan(created=5), tmp_path, packer(tmp_path), bases(old, "docker://reg.example/base:1"))
    kept, given = moved(found(built), old, new), moved(found(built), old, new, created="2030-01-01T00:00:00Z")
    assert b'"created":"1970-01-01T00:00:05Z"' in kept.documents[-1].data + kept.documents[1].data
    assert kept.descriptor.digest != given.descriptor.digest
