"""E02: kill -9 at random moments of push, pull and copy. No partial tag, nothing that a later run believes wrongly; the next run
succeeds and moves only what is missing. KILLS in the environment says how many moments for each way."""

from __future__ import annotations

import fcntl
import json
import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import servers
from tests.support.cli import COMMAND, variables, wherry
from tests.support.images import Shape, random_image
from tests.support.odd_images import whole
from tests.support.ports import ports
from wherry.errors import WherryError
from wherry.model.image import Built
from wherry.oci.digest import Digest
from wherry.store import place as places
from wherry.store.content import Content, content_from
from wherry.store.places import at
from wherry.store.registry.keeper import repository

KILLS = int(os.environ.get("KILLS", "4"))
SHAPE = Shape(platforms=("linux/amd64", "linux/arm64"), layers=5, size=1_500_000)


class Way(NamedTuple):
    """A command, where it puts the image, and how many of its bytes are there now."""

    words: tuple[str, ...]
    place: str
    there: Callable[[], int]


class Yard:
    def __init__(self, host: str, folder: Path) -> None:
        self.folder, self.host = folder, host
        self.built: Built = random_image(folder / "layers", seed=41, shape=SHAPE)
        at(places.parse(f"oci:{folder}/source:1"), ports(folder)).publish(self.built)
        at(places.parse(f"docker://{host}/source:1"), ports(folder)).publish(self.built)
        keeper = at(places.parse(f"oci:{folder}/source:1"), ports(folder))
        self.content: Content = content_from(keeper, keeper.open())
        documents = (*self.content.manifests, *self.content.configs)
        self.sizes: dict[Digest, int] = {one.digest: one.size for one in documents}
        self.sizes |= {blob.digest: blob.size for blob in self.content.blobs}

    def in_folder(self, blobs: Path) -> int:
        return sum(size for digest, size in self.sizes.items() if (blobs / digest.path).is_file())

    def in_registry(self, name: str) -> int:
        place = places.parse(f"docker://{name}")
        assert isinstance(place, places.RegistryPlace)
        there = repository(place.reference, ports(self.folder))
        manifests = {document.digest for document in self.content.manifests}
        blobs = sum(size for digest, size in self.sizes.items() if digest not in manifests and there.has(digest))
        return blobs + sum(one.size for one in self.content.manifests if there.head(one.digest))

    def ways(self, number: int) -> dict[str, Way]:
        """Every way, with a destination of its own for each number."""
        home, name = self.folder / f"home{number}", f"{self.host}/killed{number}"
        layout = f"oci:{self.folder}/layout{number}:1"
        store = home / "data/wherry/store/1/blobs"
        return {
            "pull": Way(
                ("pull", f"{self.host}/source:1", "-o", layout),
                layout,
                lambda: self.in_folder(self.folder / f"layout{number}/blobs"),
            ),
            "pull into the store": Way(
                ("pull", f"{self.host}/source:1", "-o", "store:app:1"), "store:app:1", lambda: self.in_folder(store)
            ),
            "push": Way(
                ("push", f"oci:{self.folder}/source:1", "-t", f"{name}/push:1"),
                f"docker://{name}/push:1",
                lambda: self.in_registry(f"{name}/push:1"),
            ),
            "copy": Way(
                ("copy", f"oci:{self.folder}/source:1", f"{name}/copy:1"),
                f"docker://{name}/copy:1",
                lambda: self.in_registry(f"{name}/copy:1"),
            ),
        }


WAYS = ("pull", "pull into the store", "push", "copy")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> object:
    with servers.docker_registry() as host:
        yield Yard(host, tmp_path_factory.mktemp("killed"))


def killed(way: Way, yard: Yard, home: Path, moment: float) -> bool:
    """Runs the command and kills it after `moment` seconds; False when it was done before."""
    child = subprocess.Popen(
        [*COMMAND, *way.words], cwd=yard.folder, env=variables(home), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(moment)
    child.kill()
    return child.wait() != 0


@pytest.mark.parametrize("name", WAYS)
def test_the_next_run_moves_only_what_is_missing(name: str, yard: Yard) -> None:
    chance = random.Random(name)
    whole_time = min(timed(yard, name, again) for again in range(3))
    struck = 0
    for round_ in range(5 * KILLS):
        number = WAYS.index(name) * 10_000 + round_
        way, home = yard.ways(number)[name], yard.folder / f"home{number}"
        moment = whole_time * chance.uniform(0.2, 1.0)
        if killed(way, yard, home, moment):
            struck += 1
        else:  # the machine was busy when it was timed
            whole_time = min(whole_time, moment)
        no_partial_tag(way, yard, home)
        before = way.there()
        done = wherry(*way.words, "--json", home=home, cwd=yard.folder)
        assert done.code == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["digest"] == yard.built.digest
        sent = report["published"][0]["sent"]
        # less where a registry ended by itself what it had got; manifests go again, which costs less than asking for each
        again = sum(one.size for one in yard.content.manifests) if way.place.startswith("docker:") else 0
        assert sent <= sum(yard.sizes.values()) - before + again
        assert way.there() == sum(yard.sizes.values())
        if struck == KILLS:
            return
    pytest.fail(f"only {struck} were struck before they were done")


def timed(yard: Yard, name: str, again: int) -> float:
    """How long it takes undisturbed, here and now."""
    began = time.monotonic()
    number = 90_000 + WAYS.index(name) * 100 + again
    way = yard.ways(number)[name]
    done = wherry(*way.words, home=yard.folder / f"home{number}", cwd=yard.folder)
    assert done.code == 0, done.stderr
    return time.monotonic() - began


def no_partial_tag(way: Way, yard: Yard, home: Path) -> None:
    """Either there is no such image, or all of it is there."""
    folder = home / "data/wherry" if way.place.startswith("store:") else yard.folder
    if way.place.startswith("store:"):
        folder = home / "check"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "data").exists():
            (folder / "data").symlink_to(home / "data/wherry")
    found, absent = set(yard.sizes), ""
    try:
        found = set(whole(way.place, folder))
    except WherryError as error:
        absent = error.name
    assert absent in ("", "no-such-image", "not-a-layout", "registry-not-found")
    assert found == set(yard.sizes)


def test_what_a_killed_run_left_half_written_is_taken_away(tmp_path: Path) -> None:
    """By the next writer, and only when nobody else is writing."""
    built = random_image(tmp_path / "layers", seed=1)
    keeper = at(places.parse(f"oci:{tmp_path}/there:1"), ports(tmp_path))
    keeper.publish(built)
    left = tmp_path / "there/blobs/sha256/.abc.0123.tmp"
    left.write_bytes(b"half")
    descriptor = os.open(tmp_path / "there/blobs", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    keeper.publish(built)
    assert left.exists()
    os.close(descriptor)
    keeper.publish(built)
    assert not left.exists()
