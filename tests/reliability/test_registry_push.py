"""Rows C of the reliability catalogue, pushing: a real registry behind a proxy that does harm. Each push ends with the right tag,
or with a named error and the tag as it was."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.faults import Call, Fault, FaultProxy, Refusal, sometimes
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.errors import WherryError
from wherry.model.image import Built, Published
from wherry.oci.reference import parse
from wherry.store import place as places
from wherry.store.content import content_from, content_of
from wherry.store.keeper import Ports
from wherry.store.layout import Layout
from wherry.store.registry.keeper import Registry

BIG = Shape(layers=1, size=5 << 20, compression="none")
TWO = Shape(platforms=("linux/amd64", "linux/arm64"))


def keeper(proxy: FaultProxy, folder: Path, machine: Ports | None = None, *, repository: str = "") -> Registry:
    name = f"{proxy.host}/{repository or folder.name.lower()}:1"
    return Registry(places.RegistryPlace(reference=parse(name)), machine or ports(folder))


def push(proxy: FaultProxy, built: Built, folder: Path, machine: Ports | None = None) -> Published:
    return keeper(proxy, folder, machine).publish(built)


def right(proxy: FaultProxy, built: Built, folder: Path) -> bool:
    """True when the tag is there and every byte beneath it is what it should be."""
    proxy.faults.clear()
    proxy.chance = lambda _method, _path: None
    at = keeper(proxy, folder)
    content = content_from(at, at.open())
    for blob in content.blobs:
        for _ in content.open(blob.descriptor):
            pass
    return content.digest == built.digest


@pytest.mark.parametrize("how", ["cut request", "lost answer"])
@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
def test_one_cut_anywhere_is_mended(how: str, method: str, proxy: FaultProxy, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=TWO)
    for skip in range(6):
        proxy.faults = [Fault(how, method=method, at=100, skip=skip)]  # type: ignore[arg-type] # a parameter
        assert push(proxy, built, tmp_path / f"{skip}").digest == built.digest
        assert right(proxy, built, tmp_path / f"{skip}")


@pytest.mark.parametrize("at", [0, 1, 70_000, (2 << 20) + 17, (5 << 20)])
def test_an_upload_goes_on_where_it_was_cut(at: int, proxy: FaultProxy, tmp_path: Path) -> None:
    """C06 the other way: the registry is asked what it has, and gets the rest only, from the right byte."""
    built = random_image(tmp_path / "layers", shape=BIG)
    proxy.faults = [Fault("cut request", method="PUT", path="/blobs/uploads/", at=at, skip=0)]
    assert push(proxy, built, tmp_path).digest == built.digest
    size = built.images[0].layers[0].size
    assert proxy.uploaded < 2 * size + 10_000
    if at >= 2 << 20:
        assert proxy.counted("PATCH") >= 1 or proxy.uploaded <= size + at + 10_000
    assert right(proxy, built, tmp_path)


@pytest.mark.parametrize("fault", ["cut request", "lost answer", "500", "404", "416"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_chunks_go_on_where_they_were_cut(fault: str, skip: int, proxy: FaultProxy, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=BIG)
    machine = ports(tmp_path)
    in_chunks(machine, proxy, 1 << 20)
    status = int(fault) if fault.isdecimal() else 0
    how = "status" if status else fault
    proxy.faults = [Fault(how, method="PATCH", at=300_000, status=status, skip=skip)]  # type: ignore[arg-type]
    assert push(proxy, built, tmp_path, machine).digest == built.digest
    assert proxy.counted("PATCH") >= 5
    assert proxy.uploaded < built.images[0].layers[0].size * 2
    assert right(proxy, built, tmp_path)


def in_chunks(machine: Ports, proxy: FaultProxy, size: int) -> None:
    base = f"http://{proxy.host}"
    machine.known.facts(base, None, machine.now)
    machine.known.learn(base, None, chunk=size)


def test_a_blob_refused_as_too_large_is_sent_in_chunks(proxy: FaultProxy, tmp_path: Path) -> None:
    """What stands before a registry may take no large bodies. That is remembered for the next blob, and the next run."""
    shape = Shape(layers=2, size=5 << 20, compression="none")
    built = random_image(tmp_path / "layers", shape=shape)
    kept: dict[str, bytes] = {}

    class Kept:
        get = staticmethod(kept.get)
        put = staticmethod(kept.__setitem__)

    machine = replace(ports(tmp_path), records=Kept())
    large = [0]

    def limit(call: Call) -> Refusal | None:
        if call.method in ("PUT", "PATCH") and int(call.headers.get("content-length", "0")) > 2 << 20:
            large[0] += 1
            return 413, {}, b""
        return None

    proxy.gate = limit
    assert push(proxy, built, tmp_path, machine).digest == built.digest
    assert 0 < large[0] <= 4
    other = random_image(tmp_path / "layers", seed=2, shape=shape)
    large[0] = 0
    push(proxy, other, tmp_path, replace(ports(tmp_path), records=Kept()))
    assert large[0] == 0
    assert right(proxy, other, tmp_path)


def test_the_least_chunk_is_honoured(proxy: FaultProxy, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=BIG)
    machine = ports(tmp_path)
    in_chunks(machine, proxy, 1 << 20)
    proxy.faults = [Fault("change", method="POST", headers={"OCI-Chunk-Min-Length": str(2 << 20)}, times=99)]
    push(proxy, built, tmp_path, machine)
    sizes = sorted(int(call.headers["content-length"]) for call in proxy.calls if call.method == "PATCH")
    assert sizes[-2:] == [2 << 20, 2 << 20]
    assert right(proxy, built, tmp_path)


@pytest.mark.parametrize("status", [202, 403, 404, 405, 400, 500, 401, 201])
def test_a_refused_mount_is_no_failure(status: int, proxy: FaultProxy, tmp_path: Path) -> None:
    """containerd #14086, ggcr #1609: whatever is said to a mount, the blob gets there."""
    built = random_image(tmp_path / "layers", shape=BIG)
    first = keeper(proxy, tmp_path, repository="from/one")
    first.publish(built)
    content = content_from(first, first.open())
    proxy.calls.clear()
    times = 0 if status == 201 else 99
    proxy.faults = [Fault("status", method="POST", path="mount=", status=status, times=times)]
    (put,) = keeper(proxy, tmp_path).put(content)
    assert put.digest == built.digest
    assert proxy.counted("POST", "mount=.*from=from/one") >= 1
    assert (proxy.uploaded < 2000) == (status == 201)
    assert right(proxy, built, tmp_path)


def test_the_token_dies_in_mid_push(proxy: FaultProxy, tmp_path: Path) -> None:
    """C04: each token is good for eight requests; uploads cut by a 401 go on with another."""
    built = random_image(tmp_path / "layers", shape=Shape(layers=4, size=2 << 20, compression="none"))
    uses: dict[str, int] = {}
    lock = threading.Lock()

    def gate(call: Call) -> Refusal | None:
        with lock:
            if call.path.startswith("/token"):
                token = f"token-{len(uses)}"
                uses[token] = 0
                return 200, {}, json.dumps({"token": token}).encode()
            used = call.headers.get("authorization", "").removeprefix("Bearer ")
            uses[used] = uses.get(used, 99) + 1
            if uses[used] <= 8:
                return None
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{proxy.host}/token",service="r"'}, b""

    proxy.gate = gate
    assert push(proxy, built, tmp_path).digest == built.digest
    assert len(uses) > 2
    proxy.gate = lambda _: None
    assert right(proxy, built, tmp_path)


def test_a_limit_slows_all_threads(proxy: FaultProxy, tmp_path: Path) -> None:
    """C01: four blobs go at once; after one 429 nobody asks until the time is over."""
    built = random_image(tmp_path / "layers", shape=Shape(layers=6))
    proxy.faults = [Fault("status", method="POST", status=429, headers={"Retry-After": "1"}, skip=1)]
    times: list[tuple[float, int]] = []

    def gate(call: Call) -> Refusal | None:
        times.append((time.monotonic(), len(times)))
        return None

    proxy.gate = gate
    machine = replace(ports(tmp_path), pause=time.sleep)
    push(proxy, built, tmp_path, machine)
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(times)]
    assert max(gaps) > 0.8
    assert right(proxy, built, tmp_path)


def test_the_time_of_waiting_is_bounded(proxy: FaultProxy, tmp_path: Path) -> None:
    """Whatever is pushed in a run: after ten minutes of waiting for one registry, its next no is the last."""
    machine = replace(ports(tmp_path), pause=lambda _: None, elapsed=lambda: 0.0)
    proxy.faults = [Fault("status", status=429, headers={"Retry-After": "60"}, times=10_000)]
    asked = []
    for seed in range(6):
        proxy.calls.clear()
        with pytest.raises(WherryError) as caught:
            push(proxy, random_image(tmp_path / "layers", seed=seed), tmp_path, machine)
        assert caught.value.name == "registry-busy"
        asked.append(len(proxy.calls))
    assert asked[0] == 5
    assert asked[-1] == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_registry_that_fails_at_every_tenth_request(seed: int, proxy: FaultProxy, tmp_path: Path) -> None:
    shape = Shape(platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"), layers=3, size=40_000)
    built = random_image(tmp_path / "layers", seed=seed, shape=shape)
    proxy.chance = sometimes(0.1, seed)
    published = push(proxy, built, tmp_path)
    assert published.digest == built.digest
    assert right(proxy, built, tmp_path)


def test_tags_of_one_repository_cost_one_push(proxy: FaultProxy, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", shape=TWO)
    at = keeper(proxy, tmp_path)
    name = at.place.reference
    tags = tuple(replace(name, tag=tag) for tag in ("1", "2", "latest"))
    published = at.put(content_of(built), tags)
    assert [one.reference for one in published] == [f"{one}@{built.digest}" for one in tags]
    assert sum(one.sent for one in published) == published[0].sent
    assert proxy.counted("PUT", "/manifests/") == 2 + 3
    proxy.calls.clear()
    assert [one.sent for one in at.put(content_of(built), tags)] == [0, 0, 0]
    assert proxy.counted() == 3


def test_what_is_there_costs_at_most_two_round_trips(proxy: FaultProxy, tmp_path: Path) -> None:
    """With a token too, once another run has met this registry: one for the token, one for the tag."""
    built = random_image(tmp_path / "layers", shape=TWO)
    kept: dict[str, bytes] = {}

    class Kept:
        get = staticmethod(kept.get)
        put = staticmethod(kept.__setitem__)

    proxy.gate = wants_token(proxy)
    push(proxy, built, tmp_path, replace(ports(tmp_path), records=Kept()))
    assert not [value for value in kept.values() if b"good" in value]
    proxy.calls.clear()
    assert push(proxy, built, tmp_path, replace(ports(tmp_path), records=Kept())).sent == 0
    assert proxy.counted() == 2


def wants_token(proxy: FaultProxy) -> Callable[[Call], Refusal | None]:
    def gate(call: Call) -> Refusal | None:
        if call.path.startswith("/token"):
            return 200, {}, b'{"token": "good", "expires_in": 300}'
        if call.headers.get("authorization") == "Bearer good":
            return None
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{proxy.host}/token",service="r"'}, b""

    return gate


def test_files_are_sent_as_they_are_and_a_damaged_one_is_told_of(proxy: FaultProxy, tmp_path: Path) -> None:
    """The registry hashes what it gets; only when it says no is a file of a layout hashed here, to say which one is damaged."""
    built = random_image(tmp_path / "layers")
    place = places.LayoutPlace(directory=f"{tmp_path}/layout", tag="1")
    Layout(place).publish(built)
    layout = Layout(place)
    content = content_from(layout, layout.open())
    file = Path(content.blobs[0].file)
    assert file.stat().st_size == content.blobs[0].size
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(WherryError) as caught:
        keeper(proxy, tmp_path).put(content)
    assert caught.value.name == "digest-mismatch"
    assert proxy.counted("PUT", "/manifests/") == 0


@pytest.mark.parametrize("status", [403, 503, 425, 408])
def test_when_to_come_again_is_honoured(status: int, proxy: FaultProxy, tmp_path: Path) -> None:
    """C01: also a 403 that says so ("secondary rate limit")."""
    built = random_image(tmp_path / "layers")
    waits: list[float] = []
    proxy.faults = [Fault("status", method="PUT", status=status, headers={"Retry-After": "9"}, times=2)]
    push(proxy, built, tmp_path, replace(ports(tmp_path), pause=waits.append))
    assert 9.0 in waits
    assert right(proxy, built, tmp_path)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418])
def test_what_will_not_change_is_not_asked_again(status: int, proxy: FaultProxy, tmp_path: Path) -> None:
    proxy.faults = [Fault("status", method="POST", status=status, times=99)]
    with pytest.raises(WherryError):
        push(proxy, random_image(tmp_path / "layers", shape=Shape(layers=1)), tmp_path)
    assert proxy.counted("POST") <= 2  # a layer and a config, at once


def test_a_registry_that_shows_blobs_late(proxy: FaultProxy, tmp_path: Path) -> None:
    """C03: the manifest is refused since a blob just sent cannot be seen yet."""
    body = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}'
    proxy.faults = [Fault("status", method="PUT", path="/manifests/", status=400, body=body, times=2)]
    built = random_image(tmp_path / "layers")
    assert push(proxy, built, tmp_path).digest == built.digest
    assert right(proxy, built, tmp_path)
