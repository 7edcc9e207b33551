"""Rows C of the reliability catalogue, pulling: what a registry sends is what was asked for to the last byte, or one named
error and nothing kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.faults import Call, Fault, FaultProxy, fault_proxy
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.registry import FakeRegistry, fake_registry
from tests.support.runbook import until
from wherry.errors import WherryError
from wherry.model.image import Built
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, decode, describe, encode
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.manifest import Index, Manifest
from wherry.oci.reference import parse
from wherry.store import place as places
from wherry.store.keeper import Ports
from wherry.store.registry.keeper import Registry, repository

BIG = Shape(layers=1, size=3 << 20, compression="none")
TWO = Shape(platforms=("linux/amd64", "linux/arm64"))


@pytest.fixture
def pushed(proxy: FaultProxy, tmp_path: Path) -> tuple[Built, Registry]:
    """An image in the registry, and the keeper of its place."""
    built = random_image(tmp_path / "layers", shape=BIG)
    at = keeper(proxy.host, tmp_path)
    at.publish(built)
    proxy.calls.clear()
    return built, keeper(proxy.host, tmp_path)


def keeper(host: str, folder: Path, machine: Ports | None = None) -> Registry:
    place = places.RegistryPlace(reference=parse(f"{host}/{folder.name.lower()}:1"))
    return Registry(place, machine or ports(folder))


def layer_of(built: Built) -> Descriptor:
    layer = built.images[0].layers[0]
    return Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)


@pytest.mark.parametrize("how", ["cut answer", "clean end", "lost answer"])
@pytest.mark.parametrize("at", [0, 1, 1_000_000, (3 << 20) + 100])
def test_a_cut_blob_is_gone_on_with(
    how: str, at: int, pushed: tuple[Built, Registry], proxy: FaultProxy, tmp_path: Path
) -> None:
    """C05: also an end that looks ordinary. Only the rest is asked for."""
    built, at_registry = pushed
    layer = layer_of(built)
    times = 2 if at < layer.size / 2 else 1
    proxy.faults = [Fault(how, method="GET", path="/blobs/", at=at, times=times)]  # type: ignore[arg-type]
    assert of_bytes(b"".join(at_registry.blob(layer))) == layer.digest
    ranges = [call.headers.get("range", "") for call in proxy.calls]
    assert len(ranges) == times + 1
    assert all(ranges[1:]) == (at > 0 and how != "lost answer")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("ask", headers={"Range": ""}),  # 200 and the whole instead of the rest
        Fault("ask", headers={"Range": "bytes=0-"}),  # 206 from another byte
        Fault("change", headers={"Content-Range": "bytes 7-9/10"}),
        Fault("change", headers={"Content-Range": ""}),
        Fault("status", status=416),
    ],
)
def test_the_rest_is_only_the_rest(fault: Fault, pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    """C06: appended is only a 206 that begins where we ended; otherwise the whole is asked for and hashed from the start."""
    built, at_registry = pushed
    layer = layer_of(built)
    again = Fault(**{**vars(fault), "method": "GET", "path": "/blobs/", "skip": 0})
    proxy.faults = [Fault("cut answer", method="GET", path="/blobs/", at=2_000_000), again]
    assert of_bytes(b"".join(at_registry.blob(layer))) == layer.digest
    assert not proxy.faults[1].times


@pytest.mark.parametrize("at", [0, 12_345, 3 << 20])
def test_a_changed_byte_is_an_error_at_once(at: int, pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    built, at_registry = pushed
    layer = layer_of(built)
    proxy.faults = [Fault("corrupt", method="GET", path="/blobs/", at=at, times=99)]
    seen: list[bytes] = []
    with pytest.raises(WherryError) as caught:
        seen.extend(at_registry.blob(layer))
    assert caught.value.name == "digest-mismatch"
    assert sum(map(len, seen)) < layer.size
    assert len(proxy.calls) == 1


def test_a_body_without_end(pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    """C09: nothing is read beyond what was promised."""
    built, at_registry = pushed
    proxy.faults = [Fault("endless", method="GET", times=99)]
    with pytest.raises(WherryError) as caught:
        list(at_registry.blob(layer_of(built)))
    assert caught.value.name == "long-blob"
    with pytest.raises(WherryError) as caught:
        at_registry.open()
    assert caught.value.name == "too-large"


@pytest.mark.parametrize(("change", "name"), [(-1, "long-blob"), (1, "short-blob")])
def test_a_size_that_lies(change: int, name: str, pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    built, at_registry = pushed
    layer = layer_of(built)
    with pytest.raises(WherryError) as caught:
        list(at_registry.blob(replace(layer, size=layer.size + change)))
    assert caught.value.name == name
    assert len(proxy.calls) <= 6


def test_always_cut_ends(pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    built, at_registry = pushed
    proxy.faults = [Fault("lost answer", method="GET", times=999)]
    with pytest.raises(WherryError) as caught:
        list(at_registry.blob(layer_of(built)))
    assert caught.value.name == "connection-lost"
    assert len(proxy.calls) <= 30


def test_a_stalled_or_creeping_answer_ends(pushed: tuple[Built, Registry], proxy: FaultProxy, tmp_path: Path) -> None:
    """C11: a byte now and then keeps no connection. The clock is ours, so that the test need not wait."""
    built, _ = pushed
    clock = [0.0]

    def elapsed() -> float:
        clock[0] += 7.0
        return clock[0]

    machine = replace(ports(tmp_path), elapsed=elapsed)
    proxy.faults = [Fault("creep", method="GET", path="/blobs/", seconds=0.001, times=99)]
    with pytest.raises(WherryError) as caught:
        list(keeper(proxy.host, tmp_path, machine).blob(layer_of(built)))
    assert caught.value.name == "stalled"


def test_many_pulls_keep_nothing(pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    """C11: no connection, thread or file is left over, whether a pull ends well, badly, or is given up."""
    built, at_registry = pushed
    small = built.images[0].manifest
    list(at_registry.blob(layer_of(built)))
    before = descriptors()
    for number in range(300):
        if number % 3 == 0:
            next(at_registry.blob(layer_of(built)))
        elif number % 3 == 1:
            assert at_registry.reader().manifest(small.digest).data == small.data
        else:
            missing = Descriptor(media_type="", digest=of_bytes(b"nothing"), size=7)
            with pytest.raises(WherryError):
                list(at_registry.blob(missing))
    until(lambda: descriptors() <= before + 20)  # what the proxy closes is closed a little later


def descriptors() -> int:
    """Open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("name", ["manifest", "config", "child"])
def test_another_document_than_was_asked_for(name: str, tmp_path: Path) -> None:
    """C07: a valid document of another digest, with a header that says it is the right one."""
    with fake_registry() as registry:
        built, other = (random_image(tmp_path / "layers", seed=seed, shape=TWO) for seed in (1, 2))
        at = keeper(registry.host, tmp_path)
        at.publish(built)
        at.publish(other)
        repo = tmp_path.name.lower()
        image = built.images[0]
        if name == "manifest":
            registry.manifests[f"{repo}@{built.digest}"] = registry.manifests[f"{repo}@{other.digest}"]
        elif name == "child":
            registry.manifests[f"{repo}@{image.digest}"] = registry.manifests[f"{repo}@{other.images[0].digest}"]
        else:
            registry.blobs[image.config.digest] = other.images[0].config.data
        place = places.RegistryPlace(reference=parse(f"{registry.host}/{repo}@{built.digest}"))
        with pytest.raises(WherryError) as caught:
            Registry(place, ports(tmp_path)).open()
        assert caught.value.name in ("digest-mismatch", "short-blob", "long-blob")


def held(registry: FakeRegistry, document: bytes, kind: str) -> str:
    """A manifest that this registry holds without looking at it; its reference."""
    digest = f"sha256:{hashlib.sha256(document).hexdigest()}"
    registry.manifests["odd:1"] = registry.manifests[f"odd@{digest}"] = (document, kind)
    return f"{registry.host}/odd:1"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def opened(name: str, folder: Path) -> str:
    """The name of the error that opening this gives."""
    with pytest.raises(WherryError) as caught:
        Registry(places.RegistryPlace(reference=parse(name)), ports(folder)).open()
    return caught.value.name


SCHEMA_1 = b'{"schemaVersion": 1, "name": "old", "tag": "1", "fsLayers": [], "history": []}'


@pytest.mark.parametrize("kind", ["application/vnd.docker.distribution.manifest.v1+prettyjws", "text/plain", ""])
def test_schema_1_has_an_error_of_its_own(kind: str, registry: FakeRegistry, tmp_path: Path) -> None:
    assert opened(held(registry, SCHEMA_1, kind), tmp_path) == "schema-1"


def test_a_config_of_ten_gigabytes(registry: FakeRegistry, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers")
    parsed = decode(built.images[0].manifest.data, Manifest, name="m")
    large = replace(parsed, config=replace(parsed.config, size=10 << 30))
    assert opened(held(registry, encode(large), media.OCI_MANIFEST), tmp_path) == "too-large"
    assert not [call for call in registry.calls if "/blobs/" in call.path]


def test_indexes_within_indexes(registry: FakeRegistry, tmp_path: Path) -> None:
    """Too deep; and a loop, which only a server can make that answers with something else than was asked for."""
    document, name = random_image(tmp_path / "layers").images[0].manifest, ""
    for _ in range(6):
        index = Index(schema_version=2, media_type=media.OCI_INDEX, manifests=(describe(document),))
        document = Document(media_type=media.OCI_INDEX, data=encode(index))
        name = held(registry, document.data, media.OCI_INDEX)
    assert opened(name, tmp_path) == "too-deep"
    itself = Digest("sha256:" + "0" * 64)
    child = Descriptor(media_type=media.OCI_INDEX, digest=itself, size=300)
    loop = encode(Index(schema_version=2, media_type=media.OCI_INDEX, manifests=(child,)))
    name = held(registry, loop, media.OCI_INDEX)
    registry.manifests[f"odd@{itself}"] = registry.manifests["odd:1"]
    assert opened(name, tmp_path) == "digest-mismatch"


def test_addresses_in_descriptors_are_never_asked(registry: FakeRegistry, tmp_path: Path) -> None:
    """D04, C08: a layer with `urls` comes from the registry, or not at all."""
    with fake_registry() as stranger:
        built = random_image(tmp_path / "layers")
        parsed = decode(built.images[0].manifest.data, Manifest, name="m")
        layer = replace(parsed.layers[0], urls=(f"{stranger.base}/v2/canary",))
        at = Registry(places.RegistryPlace(reference=parse(f"{registry.host}/odd:1")), ports(tmp_path))
        with pytest.raises(WherryError) as caught:
            list(at.blob(layer))
        assert caught.value.name == "registry-not-found"
        assert not stranger.calls


def test_a_blob_may_lie_elsewhere_and_gets_no_credentials(
    pushed: tuple[Built, Registry], proxy: FaultProxy, docker_registry: str, tmp_path: Path
) -> None:
    """Registries send us to a store of theirs; it is asked without the token, for the rest too."""
    built, _ = pushed
    seen: list[Call] = []
    with fault_proxy(docker_registry) as store:

        def gate(call: Call) -> tuple[int, dict[str, str], bytes] | None:
            if call.path.startswith("/token"):
                return 200, {}, json.dumps({"token": "canary"}).encode()
            if call.headers.get("authorization") != "Bearer canary":
                return 401, {"WWW-Authenticate": f'Bearer realm="http://{proxy.host}/token",service="r"'}, b""
            if "/blobs/" in call.path:
                return 307, {"Location": f"http://{store.host}{call.path}"}, b""
            return None

        proxy.gate = gate
        store.faults = [Fault("cut answer", at=1_000_000)]
        layer = layer_of(built)
        assert of_bytes(b"".join(keeper(proxy.host, tmp_path).blob(layer))) == layer.digest
        seen = store.calls
    assert len(seen) == 2
    assert not [call for call in seen if "authorization" in call.headers]
    assert seen[1].headers["range"] == "bytes=1000000-"


def test_a_manifest_cut_short_is_asked_for_again(pushed: tuple[Built, Registry], proxy: FaultProxy) -> None:
    built, at_registry = pushed
    proxy.faults = [Fault("clean end", path="/manifests/", at=100), Fault("cut answer", path="/manifests/", at=9)]
    assert at_registry.open().descriptor.digest == built.digest


def test_reading_takes_a_token_for_reading(proxy: FaultProxy, tmp_path: Path) -> None:
    """A repository that was read from and is then written to asks for another scope, not for the old token again."""
    scopes: list[str] = []

    def gate(call: Call) -> tuple[int, dict[str, str], bytes] | None:
        if call.path.startswith("/token"):
            scopes.append(call.path.partition("scope=")[2])
            return 200, {}, b'{"token": "t"}'
        if call.headers.get("authorization"):
            return None
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{proxy.host}/token",service="r"'}, b""

    proxy.gate = gate
    built = random_image(tmp_path / "layers")
    at = keeper(proxy.host, tmp_path)
    with pytest.raises(WherryError):
        at.open()
    at.publish(built)
    assert ["push" in scope for scope in scopes] == [False, True]
    reader = repository(at.place.reference, ports(tmp_path))
    assert reader.manifest("1").digest == built.digest
