"""Registries, and what stands before them, that refuse HEAD: everything that asks whether something is there asks GET then."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.accounts import pulled
from tests.support.bases import bases, wanted
from tests.support.faults import Call, Fault, FaultProxy, Refusal
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.errors import WherryError
from wherry.flows.client import Client
from wherry.oci.platform import parse as platform
from wherry.oci.reference import Reference, parse
from wherry.plan.registries import parse as rules_of
from wherry.store import place as places
from wherry.store.keeper import Ports
from wherry.store.registry.keeper import Registry

TWO = Shape(platforms=("linux/amd64", "linux/arm64"))
REFUSALS = (400, 403, 405, 406, 501)


@pytest.fixture(params=REFUSALS)
def deaf(request: pytest.FixtureRequest, proxy: FaultProxy) -> FaultProxy:
    """A real registry behind something that refuses HEAD."""
    proxy.faults = [Fault("status", method="HEAD", status=request.param, times=10**6)]
    return proxy


def named(proxy: FaultProxy, folder: Path, tag: str = "1") -> Reference:
    return parse(f"{proxy.host}/{folder.name.lower()}:{tag}")


def keeper(reference: Reference, machine: Ports) -> Registry:
    return Registry(places.RegistryPlace(reference=reference), machine)


def test_a_push_ends_well_and_what_is_there_is_not_sent_again(deaf: FaultProxy, tmp_path: Path) -> None:
    built, machine = random_image(tmp_path / "layers", shape=TWO), ports(tmp_path)
    there = keeper(named(deaf, tmp_path), machine)
    assert there.publish(built).sent > 0
    assert there.publish(built).sent == 0
    assert pulled(str(named(deaf, tmp_path)), machine) == built.digest
    assert deaf.counted("HEAD") <= 6, "asked by all threads at once at most"


def test_of_a_blob_one_byte_is_asked_for(deaf: FaultProxy, tmp_path: Path) -> None:
    built, machine = random_image(tmp_path / "layers"), ports(tmp_path)
    keeper(named(deaf, tmp_path), machine).publish(built)
    keeper(named(deaf, tmp_path, "2"), machine).publish(built)
    asked = [call for call in deaf.calls if call.method == "GET" and "/blobs/sha256" in call.path]
    assert asked
    assert all(call.headers["range"] == "bytes=0-0" for call in asked)


def test_the_client_answers_all_the_same(deaf: FaultProxy, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers")
    client, name = Client(ports(tmp_path)), str(named(deaf, tmp_path))
    assert client.digest(name) is None
    keeper(parse(name), ports(tmp_path)).publish(built)
    assert client.digest(name) == built.digest
    layer = built.images[0].layers[0]
    repository = name.rpartition(":")[0]
    assert sum(map(len, client.blob(f"{repository}@{layer.digest}"))) == layer.size
    with pytest.raises(WherryError) as caught:
        client.blob(f"{repository}@sha256:{'0' * 64}")
    assert caught.value.name == "registry-not-found"
    done = client.copy(name, f"{deaf.host}/{tmp_path.name.lower()}-other:1", referrers=True)
    assert done.digest == built.digest


def test_a_base_by_tag_is_asked_for_and_a_moved_one_is_noticed(deaf: FaultProxy, tmp_path: Path) -> None:
    first, second = (random_image(tmp_path / "layers", seed=seed) for seed in (1, 2))
    place = f"docker://{named(deaf, tmp_path)}"
    for built in (first, first, second):
        keeper(named(deaf, tmp_path), ports(tmp_path)).publish(built)
        assert bases(tmp_path).read(wanted(place), platform("linux/amd64")).top == built.digest


def test_a_mirror_that_refuses_it_is_read_from(deaf: FaultProxy, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers")
    keeper(named(deaf, tmp_path), ports(tmp_path)).publish(built)
    rules = rules_of(f'[registry."127.0.0.1:9"]\nmirrors = ["{deaf.host}"]\n', "registries.toml")
    machine = replace(ports(tmp_path), registries=lambda: rules)
    assert pulled(f"127.0.0.1:9/{tmp_path.name.lower()}:1", machine) == built.digest


def test_a_registry_without_digests_in_its_answers(proxy: FaultProxy, tmp_path: Path) -> None:
    """Then the document itself says what its digest is: a tag that is there is not called missing, nor pushed again."""
    built, machine = random_image(tmp_path / "layers"), ports(tmp_path)
    there = keeper(named(proxy, tmp_path), machine)
    there.publish(built)
    proxy.faults = [Fault("change", headers={"Docker-Content-Digest": ""}, times=10**6)]
    assert Client(machine).digest(str(named(proxy, tmp_path))) == built.digest
    assert there.publish(built).sent == 0


def test_who_may_not_read_is_told_the_registrys_words(proxy: FaultProxy, tmp_path: Path) -> None:
    """HEAD has no body: the reason is in the answer to GET."""
    body = b'{"errors":[{"code":"DENIED","message":"ask the platform team"}]}'

    def gate(call: Call) -> Refusal | None:
        return 403, {"Content-Type": "application/json"}, body if call.method == "GET" else b""

    proxy.gate = gate
    with pytest.raises(WherryError) as caught:
        keeper(named(proxy, tmp_path), ports(tmp_path)).publish(random_image(tmp_path / "layers"))
    assert (caught.value.name, "ask the platform team" in caught.value.why) == ("registry-denied", True)
    assert proxy.counted() == 2, "not again and again, and nothing is remembered of HEAD"
