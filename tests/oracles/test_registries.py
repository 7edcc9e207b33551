"""One suite over registries of other projects; and what we pushed, pulled by every engine there is."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import servers
from tests.support.faults import Fault, fault_proxy
from tests.support.images import Shape, random_image
from tests.support.peers import KINDS, WITH_REFERRERS, peer
from tests.support.ports import ports
from tests.support.tools import crane, need
from wherry.errors import WherryError
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.reference import parse
from wherry.store import artifact
from wherry.store.content import content_from, content_of
from wherry.store.place import RegistryPlace
from wherry.store.registry import delete, listing, referrers
from wherry.store.registry.keeper import Registry, repository
from wherry.store.registry.pull import Repository

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

THREE = Shape(platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"), layers=3, size=50_000)
BIG = Shape(layers=1, size=5 << 20, compression="none")


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def host(kind: str) -> Iterator[str]:
    with peer(kind) as address:
        yield address


def keeper(host: str, folder: Path, name: str = "") -> Registry:
    return Registry(
        RegistryPlace(reference=parse(f"{host}/{name or folder.name.lower().replace('[', '').strip(']')}:1")),
        ports(folder),
    )


def whole(at: Registry) -> bool:
    """Every byte read back; what is wrong raises."""
    content = content_from(at, at.open())
    for blob in content.blobs:
        for _ in at.blob(blob.descriptor):
            pass
    return True


def test_what_is_put_is_there(host: str, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=THREE)
    at = keeper(host, tmp_path)
    assert at.publish(built).digest == built.digest
    assert at.head() == built.digest
    assert whole(keeper(host, tmp_path))
    assert keeper(host, tmp_path).publish(built).sent == 0
    done = subprocess.run(
        [crane(), "validate", "--insecure", "--remote", str(at.place.reference)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "FAIL" not in done.stdout + done.stderr


@pytest.mark.parametrize("at_byte", [0, 2 << 20, 5 << 20])
def test_a_cut_upload_ends_well(at_byte: int, host: str, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=BIG)
    with fault_proxy(host) as proxy:
        proxy.faults = [Fault("cut request", method="PUT", path="/blobs/uploads/", at=at_byte)]
        assert keeper(proxy.host, tmp_path).publish(built).digest == built.digest
    assert whole(keeper(host, tmp_path))


def test_chunks(host: str, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=BIG)
    at = keeper(host, tmp_path)
    base = f"http://{host}"
    at.ports.known.facts(base, None, at.ports.now)
    at.ports.known.learn(base, None, chunk=1 << 20)
    assert at.publish(built).digest == built.digest
    assert whole(at)


def test_blobs_are_mounted_or_sent(host: str, tmp_path: Path) -> None:
    first = keeper(host, tmp_path, "mount/from")
    first.publish(random_image(tmp_path / "layers", shape=THREE))
    content = content_from(first, first.open())
    (put,) = keeper(host, tmp_path, "mount/to").put(content)
    assert put.digest == content.digest
    assert whole(keeper(host, tmp_path, "mount/to"))


def test_referrers(kind: str, host: str, tmp_path: Path) -> None:
    at = keeper(host, tmp_path)
    built = random_image(tmp_path / "layers")
    at.publish(built)
    subject = built.images[0].manifest
    there = repository(at.place.reference, ports(tmp_path), actions="pull,push")
    kinds = ("application/spdx+json", "application/vnd.example.signature")
    made = [artifact.made(subject, name.encode(), kind=name, annotations=(("k", name),)) for name in kinds]
    for content in made:
        at.put(content, (replace(at.place.reference, tag="", digest=content.digest),))
    found = referrers.find(there, subject.digest)
    assert {one.digest for one in found} == {content.digest for content in made}
    assert {one.artifact_type for one in found} == set(kinds)
    assert [one.digest for one in referrers.find(there, subject.digest, artifact_type=kinds[1])] == [made[1].digest]
    assert there.session.facts.referrers is (kind in WITH_REFERRERS)
    assert (there.head(referrers.tag_of(subject.digest)) is None) == (kind in WITH_REFERRERS)


def test_tags(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = keeper(host, tmp_path)
    names = tuple(sorted(f"v{number}" for number in range(12)))
    at.put(
        content_of(random_image(tmp_path / "layers")), tuple(replace(at.place.reference, tag=name) for name in names)
    )
    for size in (1000, 5):
        monkeypatch.setattr(listing, "PAGE", size)
        assert tuple(sorted(listing.tags(repository(at.place.reference, ports(tmp_path))))) == names


def test_deleting(host: str, tmp_path: Path) -> None:
    at = keeper(host, tmp_path)
    built = random_image(tmp_path / "layers")
    at.publish(built)
    there = repository(at.place.reference, ports(tmp_path), actions="pull,push,delete")
    assert deleted(there, built.digest) == (there.head(str(built.digest)) is None)


def deleted(there: Repository, digest: Digest) -> bool:
    """False when this registry does not delete."""
    try:
        delete.manifest(there, digest)
    except WherryError as error:
        if error.name != "delete-refused":
            raise
        return False
    return True


def test_what_is_not_there(host: str, tmp_path: Path) -> None:
    at = keeper(host, tmp_path)
    assert at.head() is None
    with pytest.raises(WherryError) as caught:
        at.open()
    assert caught.value.name == "registry-not-found"
    at.publish(random_image(tmp_path / "layers"))
    assert not repository(at.place.reference, ports(tmp_path)).has(of_bytes(b"nothing"))


def said(*command: str, **variables: str) -> str:
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_engine_pulls_what_we_pushed(tmp_path: Path) -> None:
    need("skopeo", "podman", "docker", "ctr")
    built = random_image(tmp_path / "layers", shape=THREE)
    mine = next(image for image in built.images if str(image.platform) == "linux/amd64")
    with servers.docker_registry() as host:
        name = f"{host}/team/app:1"
        keeper(host, tmp_path, "team/app").publish(built)
        assert said(crane(), "digest", "--insecure", name) == built.digest
        said(crane(), "pull", "--insecure", "--format", "oci", name, f"{tmp_path}/crane")
        layout = f"oci:{tmp_path}/skopeo:1"
        said("skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", f"docker://{name}", layout)
        assert json.loads((tmp_path / "skopeo/index.json").read_bytes())["manifests"][0]["digest"] == built.digest
        with servers.podman() as variables:
            said("podman", "pull", "--quiet", "--tls-verify=false", name, **variables)
            assert mine.digest in said(
                "podman", "inspect", "--format", "{{.Digest}} {{.RepoDigests}}", name, **variables
            )
        with servers.dockerd() as docker:
            said("docker", "pull", "--quiet", name, DOCKER_HOST=docker)
            shown = said("docker", "inspect", "--format", "{{.RepoDigests}}", name, DOCKER_HOST=docker)
            assert built.digest in shown
        with servers.containerd() as address:
            said("ctr", "-a", address, "images", "pull", "--plain-http", name)
            assert built.digest in said("ctr", "-a", address, "images", "ls")
