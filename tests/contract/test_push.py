"""Pushing to registries that fail: at every request, in every way, and always either the right tag or a named error
(C01-C05, C07)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.registry import Answer, FakeRegistry, Fault, fake_registry
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.kit.ports import Event
from wherry.model.image import Built, Image, Published
from wherry.oci.descriptor import Document
from wherry.oci.reference import parse
from wherry.store import place as places
from wherry.store.places import at
from wherry.store.registry.keeper import head
from wherry.store.registry.session import waiting

TWO = Shape(platforms=("linux/amd64", "linux/arm64"))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def push(registry: FakeRegistry, built: Built, folder: Path, tag: str = "1") -> Published:
    return at(places.parse(f"docker://{registry.host}/team/app:{tag}"), ports(folder)).publish(built)


def complete(registry: FakeRegistry, tag: str = "1") -> bool:
    """True when the tag leads to nothing, or to something of which every part is there."""
    if f"team/app:{tag}" not in registry.manifests:
        return True
    todo = [registry.manifests[f"team/app:{tag}"][0]]
    while todo:
        document = json.loads(todo.pop())
        for child in document.get("manifests", ()):
            if f"team/app@{child['digest']}" not in registry.manifests:
                return False
            todo.append(registry.manifests[f"team/app@{child['digest']}"][0])
        blobs = [one["digest"] for one in (*document.get("layers", ()), *filter(None, [document.get("config")]))]
        if not set(blobs) <= set(registry.blobs):
            return False
    return True


def test_what_is_there_costs_one_request(registry: FakeRegistry, tmp_path: Path) -> None:
    built = random_image(tmp_path, shape=TWO)
    push(registry, built, tmp_path)
    registry.calls.clear()
    assert push(registry, built, tmp_path).sent == 0
    assert [(call.method, call.path) for call in registry.calls] == [("HEAD", "/v2/team/app/manifests/1")]


def test_head_is_the_registrys_word(registry: FakeRegistry, tmp_path: Path) -> None:
    reference, machine = parse(f"{registry.host}/team/app:1"), ports(tmp_path)
    assert head(reference, machine) is None
    built = random_image(tmp_path, shape=TWO)
    push(registry, built, tmp_path)
    assert head(reference, machine) == built.digest
    for told, known in (("", built.digest), ("sha256:nonsense", None)):
        registry.faults.append(Fault(method="HEAD", status=200, headers={"Docker-Content-Digest": told}))
        assert head(reference, machine) == known, "without a word of it the document itself says it"
    registry.faults.append(Fault(status=403, times=2))
    with pytest.raises(WherryError):
        head(reference, machine)


def test_only_what_is_missing_is_sent(registry: FakeRegistry, tmp_path: Path) -> None:
    built = random_image(tmp_path, shape=Shape(size=50_000))
    push(registry, built, tmp_path)
    again = push(registry, built, tmp_path, tag="2")
    assert again.sent == built.images[0].manifest.size


def test_the_tag_is_put_last_and_once(registry: FakeRegistry, tmp_path: Path) -> None:
    push(registry, random_image(tmp_path, shape=TWO), tmp_path)
    puts = [call.path for call in registry.calls if call.method == "PUT"]
    assert puts[-1] == "/v2/team/app/manifests/1"
    assert sum(path.endswith("/manifests/1") for path in puts) == 1
    manifests = [index for index, path in enumerate(puts) if "/manifests/" in path]
    assert min(manifests) > max(index for index, path in enumerate(puts) if "/blobs/" in path)


def number_of_requests(folder: Path) -> int:
    with fake_registry() as state:
        push(state, random_image(folder, shape=TWO), folder)
        return len(state.calls)


@pytest.mark.parametrize("way", ["cut", "500", "503", "403", "lost answer"])
def test_no_failure_leaves_half_a_tag(way: str, tmp_path: Path) -> None:
    """C02: the k-th request fails, for every k, and all that follow fail too."""
    old, new = random_image(tmp_path, seed=1, shape=TWO), random_image(tmp_path, seed=2, shape=TWO)
    total = number_of_requests(tmp_path)
    assert total > 15
    for number in range(total):
        with fake_registry() as registry:
            push(registry, old, tmp_path)
            registry.calls.clear()
            registry.faults.append(fault(way, skip=number, times=10_000))
            with pytest.raises(WherryError) as caught:
                push(registry, new, tmp_path)
            assert caught.value.name in ("connection-lost", "registry-failed", "registry-denied", "no-answer")
            registry.faults.clear()
            assert complete(registry), f"{way} from request {number} on"
            now = registry.manifests["team/app:1"][0]
            assert now == old.content.document.data or (way == "lost answer" and now == new.content.document.data)
            assert push(registry, new, tmp_path).digest == new.digest
            assert registry.manifests["team/app:1"][0] == new.content.document.data


@pytest.mark.parametrize("way", ["cut", "500", "502", "503", "504", "429", "408", "lost answer"])
def test_one_failure_is_mended(way: str, tmp_path: Path) -> None:
    built = random_image(tmp_path, shape=TWO)
    for number in range(0, number_of_requests(tmp_path), 2):
        with fake_registry() as registry:
            registry.faults.append(fault(way, skip=number, times=1))
            assert push(registry, built, tmp_path).digest == built.digest
            assert complete(registry)
            assert registry.manifests["team/app:1"]


def fault(way: str, *, skip: int, times: int) -> Fault:
    if way in ("cut", "lost answer"):
        return Fault(cut=True, do_first=way == "lost answer", skip=skip, times=times)
    return Fault(status=int(way), skip=skip, times=times)


def test_a_blob_that_got_lost_is_sent_again(registry: FakeRegistry, tmp_path: Path) -> None:
    """C03: the registry forgets a blob between its upload and the manifest."""
    built = random_image(tmp_path)
    layer = built.images[0].layers[0]

    def forget(call: object) -> Answer | None:
        if getattr(call, "method", "") == "PUT" and "/manifests/" in getattr(call, "path", "") and not forgotten:
            forgotten.append(registry.blobs.pop(layer.digest))
        return None

    forgotten: list[bytes] = []
    registry.extra = forget
    push(registry, built, tmp_path)
    assert forgotten
    assert complete(registry)


def test_a_limit_is_waited_for_and_said(registry: FakeRegistry, tmp_path: Path) -> None:
    waits: list[float] = []
    events: list[Event] = []
    machine = replace(ports(tmp_path), pause=waits.append, events=events.append)
    registry.faults.append(Fault(status=429, headers={"Retry-After": "7"}, times=1))
    at(places.parse(f"docker://{registry.host}/team/app:1"), machine).publish(random_image(tmp_path))
    assert waits[0] == 7.0
    assert all(6 < seconds <= 7 for seconds in waits)  # the other threads wait for what is left of it
    assert [(event.subject, event.seconds) for event in events if event.state == "note"] == [
        (f"{registry.host} asks to wait", 7.0)
    ]


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("", 0.5, 1.0),
        ("0", 0.5, 1.0),
        ("7", 7, 7),
        ("86400", 60, 60),
        ("-5", 0.5, 1.0),
        ("35µs", 0.5, 1.0),
        ("1.5", 0.5, 1.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.5, 1.0),
        ("9" * 400, 0.5, 1.0),
        ("٣", 0.5, 1.0),
    ],
)
def test_retry_after_is_believed_within_reason(told: str, least: float, most: float) -> None:
    assert least <= waiting(0, told, 0.0) <= waiting(0, told, 1.0) <= most
    assert waiting(30, told, 1.0) == 60


@pytest.mark.parametrize("status", [202, 200, 201])
def test_an_upload_that_begins_nowhere_is_an_odd_answer(status: int, registry: FakeRegistry, tmp_path: Path) -> None:
    """202 without Location; and 200 or 201 to what asked for an upload."""
    registry.faults.append(Fault(path="/blobs/uploads/", method="POST", status=status, times=99))
    with pytest.raises(WherryError) as caught:
        push(registry, random_image(tmp_path), tmp_path)
    assert caught.value.name in ("registry-answer", "registry-refused")
    assert registry.manifests == {}


@pytest.mark.parametrize(
    ("status", "body", "name"),
    [
        (401, b"", "registry-denied"),
        (403, b'{"errors":[{"code":"DENIED","message":"not \x1b[2J yours"}]}', "registry-denied"),
        (
            403,
            b'{"errors":[{"code":"DENIED","message":"adding 12 MiB \x1b[2J will exceed the quota"}]}',
            "registry-quota",
        ),
        (412, b"Quota of project exceeded", "registry-quota"),
        (413, b'{"errors":[{"code":"QUOTA_EXCEEDED","message":""}]}', "registry-quota"),
        (507, b"", "registry-quota"),
        (404, b"<html>nothing</html>", "registry-not-found"),
        (429, b"slow down", "registry-busy"),
        (500, b"", "registry-failed"),
        (413, b"too large", "registry-refused"),
        (400, b"{" * 100_000, "registry-refused"),
        (418, b"\xff\xfe", "registry-refused"),
    ],
)
def test_refusals_are_said_in_words(
    status: int, body: bytes, name: str, registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.faults.append(Fault(path="/manifests/1", method="PUT", status=status, body=body, times=99))
    with pytest.raises(WherryError) as caught:
        push(registry, random_image(tmp_path), tmp_path)
    error = caught.value
    assert error.name == name
    assert registry.host in error.message
    assert f"{status}" in error.why
    assert "\x1b" not in error.why
    assert len(error.why) < 700


def test_layers_that_may_not_be_handed_on(registry: FakeRegistry, tmp_path: Path) -> None:
    """They stay here, and who takes no image without them is asked once more only: it may have lost another one."""
    built = random_image(tmp_path)
    assert isinstance(built.content, Image)
    manifest = built.content.manifest
    data = manifest.data.replace(b".layer.v1.", b".layer.nondistributable.v1.", 1)
    assert data != manifest.data
    changed = replace(built.content, manifest=Document(media_type=manifest.media_type, data=data))
    with pytest.raises(WherryError, match="may not be handed on") as caught:
        push(registry, replace(built, content=changed), tmp_path)
    assert (caught.value.name, "MANIFEST_BLOB_UNKNOWN" in caught.value.why) == ("registry-refused", True)
    assert len([call for call in registry.calls if "/manifests/" in call.path and call.method == "PUT"]) == 2
    assert (str(built.images[0].layers[0].digest) in registry.blobs, registry.manifests) == (False, {})


def test_an_answer_without_a_location(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.faults.append(Fault(path="/uploads/", method="POST", status=202, times=99))
    with pytest.raises(WherryError) as caught:
        push(registry, random_image(tmp_path), tmp_path)
    assert caught.value.name == "registry-answer"


def test_a_registry_that_stores_something_else(registry: FakeRegistry, tmp_path: Path) -> None:
    lie = {"Docker-Content-Digest": "sha256:" + "0" * 64}
    registry.faults.append(Fault(path="/manifests/1", method="PUT", status=201, headers=lie, times=9))
    with pytest.raises(WherryError) as caught:
        push(registry, random_image(tmp_path), tmp_path)
    assert caught.value.name == "digest-changed"


def test_endless_redirects_end(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.faults.append(Fault(method="HEAD", status=302, headers={"Location": "/v2/team/app/manifests/1"}, times=99))
    with pytest.raises(WherryError) as caught:
        push(registry, random_image(tmp_path), tmp_path)
    assert caught.value.name == "registry-answer"
    assert len(registry.calls) < 10


def test_nobody_there(tmp_path: Path) -> None:
    with fake_registry() as registry:
        host = registry.host
    with pytest.raises(WherryError) as caught:
        at(places.parse(f"docker://{host}/team/app:1"), ports(tmp_path)).publish(random_image(tmp_path))
    assert caught.value.name == "unreachable"
    assert host.partition(":")[0] in caught.value.message


def test_a_torn_layer_is_not_sent(registry: FakeRegistry, tmp_path: Path) -> None:
    built = random_image(tmp_path)
    layer = built.images[0].layers[0]
    Path(layer.file).write_bytes(b"\0" * layer.size)
    torn = replace(layer, reused=True)
    image = replace(built.images[0], layers=(torn, *built.images[0].layers[1:]))
    with pytest.raises(WherryError) as caught:
        push(registry, replace(built, content=image), tmp_path)
    assert caught.value.name == "damaged-layer"
    assert not Path(layer.file).exists()


@pytest.mark.parametrize("shape", [Shape(), TWO, Shape(format="docker")])
def test_crane_finds_it_valid(shape: Shape, docker_registry: str, tmp_path: Path) -> None:
    need("crane")
    place = f"docker://{docker_registry}/{tmp_path.name.lower()}:1"
    at(places.parse(place), ports(tmp_path)).publish(random_image(tmp_path, shape=shape))
    command = [shutil.which("crane") or "", "validate", "--remote", place.removeprefix("docker://")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("PASS"), done.stderr
