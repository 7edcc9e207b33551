"""Digests of the images that generated files stand on: asked for once, kept in wherry.lock; a warning where nobody answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.accounts import push
from tests.support.cli import Done, wherry
from tests.support.examples import repository
from tests.support.ports import ports
from tests.support.registry import FakeRegistry, Fault, fake_registry
from tests.support.tools import need
from wherry.plan import lockfile

pytestmark = pytest.mark.e2e
HOSTS = ("docker.io", "gcr.io")


class Shop:
    """A repository, and a mirror of the registries that its files name."""

    def __init__(self, folder: Path, mirror: FakeRegistry, name: str) -> None:
        need("go", "git")
        self.root, self.home, self.mirror = repository(name, folder / name), folder / "home", mirror
        settings = self.home / "config/wherry/registries.toml"
        settings.parent.mkdir(parents=True)
        rows = (f'[registry."{host}"]\nmirrors = {json.dumps([f"{mirror.host}/{host}"])}\n' for host in HOSTS)
        settings.write_text("".join(rows))

    def ran(self, *words: str, **environment: str) -> Done:
        done = wherry(*words, home=self.home, cwd=self.root, **environment)
        assert done.code in (0, 1), done.stderr
        return done

    def push(self, reference: str, seed: int) -> str:
        """An image of that name, and its digest."""
        folder = self.home / f"{seed}"
        folder.mkdir(exist_ok=True)
        return str(push(folder, f"{self.mirror.host}/{reference}", ports(folder), seed=seed).digest)

    def locked(self) -> dict[str, str]:
        lock = lockfile.load(self.root)
        return {one.reference: one.digest for one in lock.bases if one.files} if lock else {}

    def named(self, *files: str) -> dict[str, str]:
        """Images that files stand on, and their digests."""
        text = "".join((self.root / name).read_text() for name in files)
        found = re.findall(r'(?m)^(?:ARG \w+_IMAGE=| +image: "?)([^\s@"$]+)(?:@(sha256:[0-9a-f]{64}))?', text)
        return {name if name.startswith("gcr.io/") else f"docker.io/library/{name}": digest for name, digest in found}


@pytest.fixture
def mirror() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def test_digests_of_a_variants_images_are_locked_once(tmp_path: Path, mirror: FakeRegistry) -> None:
    shop = Shop(tmp_path, mirror, "http-api")
    assert shop.ran("generate", "dockerfile", WHERRY_OFFLINE="1").code == 0
    names = shop.named("Dockerfile")
    assert set(names.values()) == {""}
    wanted = {name: shop.push(name, seed) for seed, name in enumerate(names, 1)}
    checked = shop.ran("generate", "--check")
    assert (checked.code, shop.locked()) == (0, {}), "--check asks nobody"
    assert shop.ran("generate").code == 0
    assert shop.locked() == shop.named("Dockerfile") == wanted
    before = (shop.root / "wherry.lock").read_text()
    for seed, name in enumerate(names, 11):
        shop.push(name, seed)
    assert shop.ran("generate").stdout == "", "a tag that moved moves nothing"
    assert (shop.root / "wherry.lock").read_text() == before
    assert shop.ran("generate", "--check", WHERRY_OFFLINE="1").code == 0
    alpine = "docker.io/library/alpine:3"
    wanted[alpine] = shop.push(alpine, 21)
    assert shop.ran("generate", "dockerfile", "--variant", "alpine").code == 0
    assert shop.named("Dockerfile")[alpine] == wanted[alpine]
    assert shop.locked() == wanted, "what one variant named stays for the others"


def test_init_locks_what_its_files_name(tmp_path: Path, mirror: FakeRegistry) -> None:
    shop = Shop(tmp_path, mirror, "http-api")
    (shop.root / "wherry.toml").write_text('[generate]\nbacking = ["redis"]\n')
    assert shop.ran("generate", "dockerfile", WHERRY_OFFLINE="1").code == 0
    names = (*shop.named("Dockerfile"), "docker.io/library/redis:8-trixie")
    (shop.root / "Dockerfile").unlink()
    wanted = {name: shop.push(name, seed) for seed, name in enumerate(names, 1)}
    done = shop.ran("init", "--yes", "--with", "dockerfile,compose")
    assert done.code == 0, done.stderr
    assert shop.locked() == wanted
    assert (
        wanted.items()
        >= {name: digest for name, digest in shop.named("Dockerfile", "compose.yaml").items() if digest}.items()
    )
    assert f"redis:8-trixie@{wanted[names[-1]]}" in (shop.root / "compose.yaml").read_text()


def test_a_reason_is_told_once_and_of_its_own_registry(tmp_path: Path, mirror: FakeRegistry) -> None:
    """gcr.io answers here and docker.io does not: what is known is locked, and two kinds of files make one warning."""
    shop = Shop(tmp_path, mirror, "http-api")
    (shop.root / "wherry.toml").write_text('[generate]\nbacking = ["redis"]\n')
    for what in ("dockerfile", "compose"):
        assert shop.ran("generate", what, WHERRY_OFFLINE="1").code == 0
    ours = [name for name in shop.named("Dockerfile") if name.startswith("gcr.io/")]
    wanted = {name: shop.push(name, seed) for seed, name in enumerate(ours, 1)}
    done = shop.ran("generate", HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1")
    told = " ".join(done.stderr.split())
    assert told.count("[unpinned]") == 1
    assert "of docker.io/library/golang" in told
    assert "docker.io/library/redis:8-trixie, since " in told
    assert "of gcr.io" not in told
    assert shop.locked() == wanted


def test_what_no_registry_says_is_a_warning_with_its_reason(tmp_path: Path, mirror: FakeRegistry) -> None:
    """The file is made all the same, and nothing is locked."""
    shop = Shop(tmp_path, mirror, "http-api")
    mirror.faults = [Fault(status=503, times=999)]
    nobody = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    done = shop.ran("generate", "dockerfile", **nobody)
    assert done.code == 0
    told = " ".join(done.stderr.split())
    assert "warning [unpinned]: no digest is locked of docker.io/library/golang:" in told
    assert ", since " in told
    assert "next wherry generate, where registries answer" in told
    assert set(shop.named("Dockerfile").values()) == {""}
    assert not (shop.root / "wherry.lock").exists()
