"""Rows E of the catalogue for the stores: torn writes, SIGKILL, parallel runs, full disks, foreign folders, other formats."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.places import FOLDERS, KINDS, hurt, layout_of, publish, whole
from tests.support.ports import ports
from tests.support.servers import need_root, unavailable
from wherry.errors import CorruptError, UnavailableError, WherryError
from wherry.model.image import Built
from wherry.store import own
from wherry.store import place as places
from wherry.store.content import content_of
from wherry.store.places import at

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forks beside other tests' threads
LATER = time.time() + 10**6


@pytest.mark.parametrize("damage", ["zeros", "empty", "half", "flipped", "longer", "folder", "unreadable"])
@pytest.mark.parametrize("place", FOLDERS)
def test_e01_a_torn_blob_is_never_served_and_is_mended(place: str, damage: str, tmp_path: Path) -> None:
    """E01, E04: the name is right and the bytes are not, for each blob in turn."""
    built = random_image(tmp_path / "layers", seed=1)
    publish(place, tmp_path, built)
    blobs = sorted((layout_of(place, tmp_path) / "blobs/sha256").iterdir())
    assert len(blobs) == 4
    for blob in blobs:
        hurt(blob, damage)
        if not (damage == "unreadable" and os.geteuid() == 0):
            with pytest.raises(WherryError) as caught:
                whole(place, tmp_path)
            assert caught.value.name in (
                "damaged-image",
                "digest-mismatch",
                "short-blob",
                "long-blob",
                "missing-blob",
                "disk",
            )
        mended = publish(place, tmp_path, built)
        assert whole(place, tmp_path) == built.digest
        assert blob.is_file()
        assert all(finding.name == "damaged-blob" for finding in mended.findings)
        assert [path.name for path in blob.parent.iterdir() if path.name.endswith(".tmp")] == []


def test_e04_a_damaged_blob_of_the_store_is_moved_aside(tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=1)
    publish("store:app:1", tmp_path, built)
    config = layout_of("store:", tmp_path) / "blobs" / built.images[0].config.digest.path
    hurt(config, "flipped")
    with pytest.raises(CorruptError) as caught:
        whole("store:app:1", tmp_path)
    assert caught.value.name == "damaged-image"
    assert not config.exists()
    assert len(list((layout_of("store:", tmp_path) / "damaged").iterdir())) == 1


def test_e04_a_damaged_index_is_named(tmp_path: Path) -> None:
    publish(FOLDERS[0], tmp_path, random_image(tmp_path / "layers", seed=1))
    for content in (b"", b"{", b'{"manifests": 5}', b"[]", b'{"manifests": [{"mediaType": 1}]}'):
        (tmp_path / "place/index.json").write_bytes(content)
        with pytest.raises(CorruptError) as caught:
            publish(FOLDERS[0], tmp_path, random_image(tmp_path / "layers", seed=2))
        assert caught.value.name == "json"
        assert "index.json" in caught.value.where[0]
        assert (tmp_path / "place/index.json").read_bytes() == content


def test_e01_a_layer_torn_in_the_cache_is_not_stored(tmp_path: Path) -> None:
    """The packed layer lay in a cache; a crash left zeros of the right length there."""
    for place in KINDS:
        built = random_image(tmp_path / "layers", seed=1)
        layer = replace(built.images[0].layers[0], reused=True)
        Path(layer.file).write_bytes(bytes(layer.size))
        torn = replace(built, content=replace(built.images[0], layers=(layer, *built.images[0].layers[1:])))
        with pytest.raises(CorruptError) as caught:
            publish(place, tmp_path, torn)
        assert caught.value.name == "damaged-layer"
        assert not Path(layer.file).exists(), "the next run must make it anew"
        assert not (tmp_path / "place.tar").exists()


EVENTS = ("os.rename", "os.link", "os.remove", "os.mkdir")


def forked(place: str, folder: Path, built: Built, point: int) -> int:
    """Publishes in a process of its own that kills itself before change number `point`; how many changes there were,
    or -SIGKILL."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        creates = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if event in EVENTS or creates:
            count += 1
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(audit)
        publish(place, folder, built)
    finally:
        os._exit(count)


@pytest.mark.parametrize("place", [*FOLDERS, KINDS[2]])
def test_e02_killed_at_every_point(place: str, tmp_path: Path) -> None:
    """SIGKILL before each creation, link, rename and removal: what was there stays whole, and the next run ends right."""
    index = Shape(platforms=("linux/amd64", "linux/arm64"), version="1")
    old = random_image(tmp_path / "layers", seed=1, shape=index)
    new = random_image(tmp_path / "layers", seed=2, shape=index)
    points = forked(place, tmp_path, old, 0)
    assert points > (2 if "archive" in place else 8)
    killed = 0
    for point in range(1, points + 2):
        shutil.rmtree(layout_of(place, tmp_path), ignore_errors=True)
        publish(place, tmp_path, old)
        killed += forked(place, tmp_path, new, point) == -signal.SIGKILL
        assert whole(place, tmp_path) in (old.digest, new.digest)
        publish(place, tmp_path, new)
        assert whole(place, tmp_path) == new.digest
    assert killed >= points - 6  # the first run, which was counted, made some folders besides
    own.prune(str(tmp_path / "data"), before=LATER)
    assert whole(place, tmp_path) == new.digest


def test_e02_killed_before_there_was_anything(tmp_path: Path) -> None:
    """A first run that dies leaves a folder that is a layout, or nothing: never one that the next run refuses."""
    index = Shape(platforms=("linux/amd64", "linux/arm64"), version="1")
    new = random_image(tmp_path / "layers", seed=2, shape=index)
    for point in range(1, 8):
        shutil.rmtree(tmp_path / "place", ignore_errors=True)
        assert forked(FOLDERS[0], tmp_path, new, point) == -signal.SIGKILL
        publish(FOLDERS[0], tmp_path, new)
        assert whole(FOLDERS[0], tmp_path) == new.digest


@pytest.mark.parametrize("place", FOLDERS)
def test_e03_twenty_at_once(place: str, tmp_path: Path) -> None:
    """Twenty processes publish twenty tags, and all of them one more, into one place."""
    command = [sys.executable, "-c", TWICE, str(tmp_path), place.format(tmp_path).removesuffix(":1")]
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen([*command, str(seed)], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for seed in range(20)
    ]
    for one in running:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said.decode()
    stem = place.removesuffix(":1")
    digests = {whole(f"{stem}:t{seed}", tmp_path) for seed in range(20)}
    assert len(digests) == 20
    assert whole(f"{stem}:same", tmp_path) in digests
    index = json.loads((layout_of(place, tmp_path) / "index.json").read_bytes())
    assert len(index["manifests"]) == 21


TWICE = """
import pathlib, sys
from tests.support.images import random_image
from tests.support.ports import ports
from wherry.store import place as places
from wherry.store.content import content_of
from wherry.store.places import at
folder, place, seed = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
built = random_image(folder / f"layers{seed}", seed=seed)
for tag in (f"t{seed}", "same"):
    at(places.parse(f"{place}:{tag}"), ports(folder)).publish(built)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    need_root()
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        unavailable(f"no tmpfs here: {mounted.stderr.decode()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("place", KINDS)
def test_e05_a_full_disk(place: str, small_disk: Path, tmp_path: Path) -> None:
    """The error names the path; what was there is whole, nothing half-written stays."""
    here = place.replace("{}", str(small_disk))
    machine = replace(ports(tmp_path), data=str(small_disk / "data"))
    old = random_image(tmp_path / "layers", seed=1, shape=Shape(size=10_000))
    at(places.parse(here), machine).publish(old)
    big = random_image(tmp_path / "layers", seed=2, shape=Shape(size=300_000))
    with pytest.raises(UnavailableError) as caught:
        at(places.parse(here), machine).publish(big)
    assert caught.value.name == "disk"
    assert "No space left" in caught.value.message
    assert str(small_disk) in caught.value.where[0]
    assert [path for path in small_disk.rglob(".*") if path.name.endswith(".tmp")] == []
    assert at(places.parse(here), machine).open().images[0].config.data == old.images[0].config.data
    small = random_image(tmp_path / "layers", seed=3, shape=Shape(size=20_000))
    assert at(places.parse(here), machine).publish(small).digest == small.digest


@pytest.mark.parametrize("moved", [False, True], ids=["built", "copied"])
@pytest.mark.parametrize("there", [False, True], ids=["new", "empty"])
def test_e05_a_layout_that_a_full_disk_lets_nobody_begin_is_not_begun(
    moved: bool, there: bool, small_disk: Path, tmp_path: Path
) -> None:
    place = small_disk / "below" / "layout"
    if there:
        place.mkdir(parents=True)
    before = list(small_disk.rglob("*"))
    keeper = at(places.parse(f"oci:{place}:1"), ports(tmp_path))
    big = random_image(tmp_path / "layers", seed=2, shape=Shape(layers=6, size=60_000))
    with pytest.raises(UnavailableError, match="No space left"):
        keeper.put(content_of(big)) if moved else keeper.publish(big)
    assert list(small_disk.rglob("*")) == before
    small = random_image(tmp_path / "layers", seed=3, shape=Shape(size=20_000))
    assert keeper.publish(small).digest == small.digest
