"""`wherry base` and bases by command: locked, moved, drifted, broken; out of engines; under programs in C that really start."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import examples, servers
from tests.support.cli import Done, wherry
from tests.support.containers import Engine, check_hardened, hardened
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.programs_in_c import base as base_of
from tests.support.programs_in_c import compiled, of_this_machine
from tests.support.servers import need_root
from tests.support.tools import need
from wherry.model.base import Base
from wherry.model.image import Built, Image
from wherry.oci import media
from wherry.oci.config import Config, RootFS
from wherry.oci.descriptor import Descriptor, Document, describe, encode
from wherry.oci.manifest import Manifest
from wherry.store import place as places
from wherry.store.places import at

pytestmark = pytest.mark.e2e
TWO = Shape(platforms=("linux/amd64", "linux/arm64"), name="base")


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """A real registry."""
    with servers.docker_registry() as running:
        yield running


class Shop:
    """A repository on a base in the registry."""

    def __init__(self, folder: Path, host: str, base: str = "") -> None:
        need("go", "git")
        self.home, self.host = folder / "home", host
        self.name = f"{host}/{folder.name.lower().replace('_', '-')}"
        self.root = examples.repository("hello", folder)
        self.folder = folder
        (self.root / "wherry.toml").write_text(f'[image]\nbase = "{base or self.name}:1"\n')

    def push(self, seed: int, tag: str = "1") -> Built:
        built = random_image(self.folder / "layers", seed=seed, shape=TWO)
        at(places.parse(f"docker://{self.name}:{tag}"), ports(self.folder)).publish(built)
        return built

    def __call__(self, *words: str, **environment: str) -> Done:
        return wherry(*words, home=self.home, cwd=self.root, **environment)

    def build(self, *words: str) -> Done:
        return self("build", "--platform", "linux/amd64", "-o", f"oci:{self.folder}/out", *words)

    @property
    def lock(self) -> Path:
        return self.root / "wherry.lock"


def test_a_lock_from_its_making_to_its_drift(tmp_path: Path, host: str) -> None:
    shop = Shop(tmp_path, host)
    first = shop.push(1)
    refused = shop.build("--locked")
    assert (refused.code, "error [no-lock]" in refused.stderr) == (2, True)
    locked = shop("base", "lock")
    assert locked.code == 0, locked.stderr
    assert f"is      {first.digest}" in locked.stdout
    assert locked.stdout.splitlines()[-1] == "wrote wherry.lock, 1 base"
    text = shop.lock.read_text()
    assert [f'"{one.platform}" = "{one.digest}"' in text for one in first.images] == [True, True]
    assert shop("base", "lock").stdout.splitlines()[-1] == "unchanged: wherry.lock, 1 base"
    assert shop("base", "outdated").code == shop("base", "verify").code == 0

    second = shop.push(2)
    moved = shop("base", "outdated", "--json")
    (state,) = json.loads(moved.stdout)["bases"]
    assert (moved.code, state["state"], state["locked"], state["now"]) == (1, "outdated", first.digest, second.digest)
    assert "wherry base lock" in shop("base", "outdated").stderr
    built = shop.build("--locked")
    assert built.code == 0, built.stderr
    assert re.search(r"base .* locked", built.stderr)
    why = shop("plan", "--why").stdout
    assert str(first.digest) in why
    assert "wherry.lock" in why

    shop.lock.write_text(text.replace('go = "go', 'go = "go0.'))
    drifted = shop.build("--locked")
    assert (drifted.code, "error [lock-drift]: 1 thing is not as wherry.lock says" in drifted.stderr) == (1, True)
    assert re.search(r"where  go   go0\.\S+ locked, go1\.\S+ here", drifted.stderr)
    warned = shop.build()
    assert (warned.code, "warning [lock-parts]" in warned.stderr) == (0, True)
    shop.lock.write_text(f"<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n")
    for words in (("build",), ("plan",), ("base", "outdated"), ("base", "verify")):
        broken = shop(*words)
        assert (broken.code, "error [lock-conflict]" in broken.stderr) == (2, True), words
    assert shop("base", "lock").code == 0
    assert str(second.digest) in shop.lock.read_text()


def test_the_registry_is_not_asked_for_what_is_locked_and_known(tmp_path: Path) -> None:
    with servers.docker_registry() as host:
        shop = Shop(tmp_path, host)
        shop.push(1)
        assert shop("base", "lock").code == 0
        first = shop.build()
        assert first.code == 0, first.stderr
    again = shop.build("--platform", "linux/amd64", "--set", "image.env={A='b'}")
    assert again.code == 0, again.stderr
    assert re.search(r"^  base .*, locked\s+unchanged$", again.stderr, re.MULTILINE)
    unknown = shop("base", "outdated", "--json")
    (state,) = json.loads(unknown.stdout)["bases"]
    assert (unknown.code, state["state"], bool(state["why"])) == (5, "unknown", True)
    assert shop("base", "verify").code == 5


def test_an_unchanged_build_asks_whether_the_base_moved(tmp_path: Path, host: str) -> None:
    shop = Shop(tmp_path, host)
    shop.push(1)
    first = shop.build()
    assert first.code == 0, first.stderr
    again = shop.build()
    assert again.stderr.startswith("unchanged")
    assert again.stdout == first.stdout
    shop.push(2)
    moved = shop.build()
    assert "unchanged, " not in moved.stderr
    assert moved.stdout != first.stdout


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_a_push_leaves_the_base_where_it_is(form: str, tmp_path: Path, host: str) -> None:
    """The registry mounts the layers from the base's repository; they never come here, and the image is whole."""
    shop = Shop(tmp_path, host)
    layers = shop.push(1).images[0].layers
    goal = f"{shop.name}/app:1"
    words = ("build", "--platform", "linux/amd64", "--set", f"image.format={form}", "-t", goal, "--push")
    done = shop(*words)
    assert done.code == 0, done.stderr
    assert "not fetched" in done.stderr
    blobs = shop.home / "cache/wherry/1/blobs"
    assert [(blobs / layer.digest.path).exists() for layer in layers] == [False, False]
    keeper = at(places.parse(f"docker://{goal}"), ports(tmp_path))
    found = keeper.open().images[0]
    assert [one.digest for one in found.layers[:2]] == [layer.digest for layer in layers]
    for one in found.layers:
        assert len(b"".join(keeper.blob(one))) == one.size


def test_verify_finds_what_is_gone(tmp_path: Path) -> None:
    with servers.docker_registry() as host:
        shop = Shop(tmp_path, host)
        built = shop.push(1)
        assert shop("base", "lock").code == 0
        reference = f"http://{host}/v2/{shop.name.partition('/')[2]}"
        assert shop("base", "verify").code == 0
        for url in (f"{reference}/blobs/{built.images[0].layers[0].digest}", f"{reference}/manifests/{built.digest}"):
            urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10).close()
            found = shop("base", "verify", "--json")
            (state,) = json.loads(found.stdout)["bases"]
            assert (found.code, state["state"]) == (1, "wrong"), state
            assert state["why"]


def test_a_base_in_the_repository_is_locked_too(tmp_path: Path, host: str) -> None:
    shop = Shop(tmp_path, host)
    built = random_image(tmp_path / "layers", seed=1, shape=TWO)
    at(places.parse(f"oci:{shop.root}/bases/web:1"), ports(tmp_path)).publish(built)
    (shop.root / "wherry.toml").write_text('[image]\nbase = "oci:bases/web:1"\n')
    assert shop("base", "lock").code == 0
    assert 'reference = "oci:bases/web:1"' in shop.lock.read_text()
    assert shop.build("--locked").code == 0
    assert shop("base", "verify").code == 0
    other = random_image(tmp_path / "layers", seed=2, shape=TWO)
    at(places.parse(f"oci:{shop.root}/bases/web:1"), ports(tmp_path)).publish(other)
    assert shop("base", "outdated").code == shop("base", "verify").code == 1
    refused = shop.build()
    assert (refused.code, "error [base-moved]" in refused.stderr) == (1, True)


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_a_base_out_of_an_engine(kind: str, tmp_path: Path, host: str, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(kind)
    scheme = {"docker": "docker-daemon", "podman": "containers-storage"}[kind]
    own = {name: value for name, value in engine.variables.items() if name.startswith(("DOCKER_", "CONTAINERS_"))}
    built = random_image(tmp_path / "layers", seed=1, shape=Shape(name="based"))
    at(places.parse(f"{scheme}:localhost/based:1"), ports(tmp_path, **own)).publish(built)
    shop = Shop(tmp_path, host)
    done = wherry(
        *("build", "--base", f"{scheme}:localhost/based:1", "-o", f"oci:{tmp_path}/out:1", "--platform", "linux/amd64"),
        home=shop.home, cwd=shop.root, PATH=engine.variables["PATH"], **own,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "base-only-here" in done.stderr
    made = at(places.parse(f"oci:{tmp_path}/out:1"), ports(tmp_path)).open().images[0].settings
    assert made.rootfs.diff_ids[:2] == tuple(layer.diff_id for layer in built.images[0].layers)


def as_image(base: Base) -> Built:
    """A base as an image of its own."""
    rootfs = RootFS(diff_ids=tuple(layer.diff_id for layer in base.layers))
    settings = Config(os="linux", architecture=base.platform.architecture, rootfs=rootfs)
    config = Document(media_type=media.OCI_CONFIG, data=encode(settings))
    rows = tuple(Descriptor(media_type=one.media_type, digest=one.digest, size=one.size) for one in base.layers)
    body = Manifest(schema_version=2, media_type=media.OCI_MANIFEST, config=describe(config), layers=rows)
    manifest = Document(media_type=media.OCI_MANIFEST, data=encode(body))
    image = Image(platform=base.platform, manifest=manifest, config=config, layers=base.layers)
    return Built(name="glibc", version="1", content=image)


@pytest.mark.slow
def test_sqlite_in_c_starts_on_a_base_that_fits_and_is_refused_on_others(tmp_path: Path, host: str) -> None:
    need("go", "git", "gcc")
    need_root()
    files = of_this_machine(compiled(tmp_path / "sample"))
    at(places.parse(f"docker://{host}/glibc:1"), ports(tmp_path)).publish(as_image(base_of(tmp_path, files)))
    root, home = examples.repository("cgo-sqlite", tmp_path), tmp_path / "home"
    done = wherry("build", "--base", f"{host}/glibc:1", "-o", f"oci:{tmp_path}/out:1", home=home, cwd=root)
    assert done.code == 0, done.stderr
    check_hardened(hardened("runc", f"{tmp_path}/out:1", port=8080))
    for words, name in (
        (("--set", "build.static=false"), "base-loader"),
        (("--set", "build.static=false", "--base", "scratch"), "base-loader"),
    ):
        refused = wherry("build", *words, "-o", f"oci:{tmp_path}/no", home=home, cwd=root)
        assert (refused.code, f"error [{name}]" in refused.stderr) == (1, True), refused.stderr
    assert not (tmp_path / "no").exists()
