"""Rows E08 to E10 for the stores: foreign folders, user files, names and other formats; read-only places."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.places import FOLDERS, KINDS, hurt, layout_of, publish, whole
from tests.support.ports import ports
from tests.support.servers import need_root, unavailable
from wherry.errors import RefusedError, UnavailableError, UsageError, WherryError
from wherry.model.image import ImageIndex
from wherry.store import own
from wherry.store import place as places
from wherry.store.places import at

LATER = time.time() + 10**6


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_e08_the_store_is_private_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        publish("store:app:1", tmp_path, random_image(tmp_path / "layers", seed=1))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data/store/1").stat().st_mode) == 0o700


@pytest.mark.parametrize("way", ["link", "file", "owner"])
def test_e08_a_store_that_somebody_else_made_is_refused(way: str, tmp_path: Path) -> None:
    store = tmp_path / "data/store/1"
    store.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if way == "link":
        store.symlink_to(elsewhere)
    elif way == "file":
        store.write_text("")
    else:
        need_root()
        store.mkdir()
        os.chown(store, 12345, 12345)
    with pytest.raises((RefusedError, UnavailableError)) as caught:
        publish("store:app:1", tmp_path, random_image(tmp_path / "layers", seed=1))
    assert caught.value.name in ("foreign-directory", "disk")
    assert list(elsewhere.iterdir()) == []


PRECIOUS = ("main.go", "oci-layout-notes", ".git", "index.json", "blobs")


@pytest.mark.parametrize("name", PRECIOUS)
def test_e09_a_folder_with_something_else_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / name).write_text("precious")
    with pytest.raises(UsageError) as caught:
        publish(FOLDERS[0], tmp_path, random_image(tmp_path / "layers", seed=1))
    assert caught.value.name == "not-a-layout"
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, "precious")]


@pytest.mark.parametrize("target", ["file", "other version", "broken marker", "marker is a link"])
def test_e09_what_only_looks_like_a_layout_is_refused(target: str, tmp_path: Path) -> None:
    folder = tmp_path / "place"
    if target == "file":
        folder.write_text("precious")
    else:
        folder.mkdir()
        (tmp_path / "elsewhere").write_text("")
        if target == "marker is a link":
            (folder / "oci-layout").symlink_to(tmp_path / "elsewhere")
        else:
            version = '{"imageLayoutVersion": "2.0.0"}' if target == "other version" else "{"
            (folder / "oci-layout").write_text(version)
    with pytest.raises(WherryError) as caught:
        publish(FOLDERS[0], tmp_path, random_image(tmp_path / "layers", seed=1))
    assert caught.value.name in ("not-a-layout", "json", "disk")
    assert target == "file" or not (folder / "blobs").exists()
    assert target != "marker is a link" or (tmp_path / "elsewhere").read_text() == ""


@pytest.mark.parametrize("place", KINDS[2:])
def test_e09_an_archive_never_replaces_a_folder_or_device(place: str, tmp_path: Path) -> None:
    (tmp_path / "place.tar").mkdir()
    with pytest.raises(UsageError) as caught:
        publish(place, tmp_path, random_image(tmp_path / "layers", seed=1))
    assert caught.value.name == "not-an-archive"
    with pytest.raises(UsageError):
        publish(place.replace("{}/place.tar", "/dev/null"), tmp_path, random_image(tmp_path / "layers", seed=1))


def test_e09_prune_deletes_only_what_no_name_leads_to(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    index = random_image(tmp_path / "layers", seed=1, shape=Shape(platforms=("linux/amd64", "linux/arm64")))
    gone = random_image(tmp_path / "layers", seed=2)
    assert isinstance(index.content, ImageIndex)
    publish("store:app:index", tmp_path, index)
    publish("store:app:gone", tmp_path, gone)
    assert own.unreferenced(data, before=LATER) == ()
    own.forget(data, ("app:gone",))
    left = own.unreferenced(data, before=LATER)
    assert {path.name for path in left} == {
        digest.hex
        for digest in (gone.digest, gone.images[0].config.digest, *(layer.digest for layer in gone.images[0].layers))
    }
    assert own.prune(data, before=0) == 0, "younger than the oldest run"
    linked = tmp_path / "elsewhere"
    linked.write_text("precious")
    (layout_of("store:", tmp_path) / "blobs/sha256" / ("0" * 64)).symlink_to(linked)
    assert own.prune(data, before=LATER) >= sum(Path(layer.file).stat().st_size for layer in gone.images[0].layers)
    assert linked.read_text() == "precious"
    assert own.unreferenced(data, before=LATER) == ()
    assert whole("store:app:index", tmp_path) == index.digest
    assert [image.name for image in own.images(data)] == ["app:index"]


def test_e09_prune_deletes_nothing_when_a_document_is_damaged(tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=1)
    publish("store:app:1", tmp_path, built)
    hurt(layout_of("store:", tmp_path) / "blobs" / built.digest.path, "flipped")
    assert own.prune(str(tmp_path / "data"), before=LATER) == 0


@pytest.mark.parametrize("name", ["../../evil", "a/../b", "..", "/etc/passwd", "a\nb"])
def test_e10_names_are_never_paths(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        publish(f"store:{name}", tmp_path, random_image(tmp_path / "layers", seed=1))
    assert not (tmp_path / "data").exists()


def test_e10_a_newer_stores_folder_is_left_alone(tmp_path: Path) -> None:
    newer = tmp_path / "data/store/2"
    newer.mkdir(parents=True)
    (newer / "something").write_text("new")
    publish("store:app:1", tmp_path, random_image(tmp_path / "layers", seed=1))
    assert [path.name for path in newer.iterdir()] == ["something"]


@pytest.mark.parametrize("place", KINDS)
def test_a_read_only_destination(place: str, tmp_path: Path) -> None:
    """Root may write anywhere, so the folder is made immutable by a read-only mount."""
    need_root()
    locked = tmp_path / "locked"
    locked.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(locked)], capture_output=True, check=False
    )
    if mounted.returncode:
        unavailable("no tmpfs here")
    try:
        machine = replace(ports(tmp_path), data=str(locked / "data"))
        with pytest.raises(UnavailableError) as caught:
            at(places.parse(place.replace("{}", str(locked))), machine).publish(random_image(tmp_path / "l", seed=1))
        assert caught.value.name == "disk"
        assert "Read-only file system" in caught.value.message
    finally:
        subprocess.run(["umount", "-l", str(locked)], check=True)


def test_a_layout_shares_no_file_with_the_cache(tmp_path: Path) -> None:
    """A user may edit what lies in a layout of theirs; the store, which nobody edits, saves the space."""
    built = random_image(tmp_path / "layers", seed=1)
    layer = built.images[0].layers[0]
    publish("oci:{}/place:1", tmp_path, built)
    publish("store:app:1", tmp_path, built)
    inode = Path(layer.file).stat().st_ino
    assert (tmp_path / "place/blobs" / layer.digest.path).stat().st_ino != inode
    assert (tmp_path / "data/store/1/blobs" / layer.digest.path).stat().st_ino == inode
