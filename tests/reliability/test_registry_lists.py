"""Rows C of the reliability catalogue, lists: tags in pages, what refers to an image, deleting; against servers that steer, lie,
have no end, and others who write at the same time."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.faults import Call as Passed
from tests.support.faults import Fault, FaultProxy
from tests.support.images import random_image
from tests.support.ports import ports
from tests.support.registry import Answer, Call, FakeRegistry, fake_registry
from tests.support.registry import Fault as Scripted
from wherry.errors import WherryError
from wherry.kit.ports import Request
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, describe, encode
from wherry.oci.digest import of_bytes
from wherry.oci.manifest import Index, Manifest
from wherry.oci.reference import parse
from wherry.store.content import Blob, Content, content_of
from wherry.store.place import RegistryPlace
from wherry.store.registry import delete, listing, referrers, url
from wherry.store.registry.keeper import Registry, repository
from wherry.store.registry.pull import Repository

SBOM = "application/spdx+json"
ALL = "pull,push,delete"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def opened(host: str, folder: Path, name: str = "") -> Repository:
    return repository(parse(f"{host}/{name or folder.name.lower()}"), ports(folder), actions=ALL)


def place(there: Repository) -> RegistryPlace:
    return RegistryPlace(reference=there.reference)


def pages(*answers: Answer) -> Callable[[Call], Answer | None]:
    """A server that gives these, one after the other, whatever is asked of /tags/ and /referrers/."""
    left = list(answers)

    def extra(call: Call) -> Answer | None:
        return left.pop(0) if left and ("/tags/" in call.path or "/referrers/" in call.path) else None

    return extra


def page(tags: object, following: str = "") -> Answer:
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    return Answer(200, headers, json.dumps({"name": "app", "tags": tags}).encode())


def test_tags_come_in_pages(registry: FakeRegistry, tmp_path: Path) -> None:
    second, third = "/v2/app/tags/list?last=b&n=2", f"{registry.base}/v2/app/tags/list?last=d"
    registry.extra = pages(page(["a", "b"], second), page(["b", "c", "d"], third), page(None))
    assert listing.tags(opened(registry.host, tmp_path, "app")) == ("a", "b", "c", "d")
    assert [call.path for call in registry.calls] == ["/v2/app/tags/list?n=1000", second, "/v2/app/tags/list?last=d"]


def test_tags_of_a_real_registry(docker_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = random_image(tmp_path / "layers")
    there = opened(docker_registry, tmp_path)
    names = tuple(f"v{number}" for number in range(25))
    at = Registry(place(there), ports(tmp_path))
    at.publish(built)
    at.put(content_of(built), tuple(replace(there.reference, tag=name) for name in names))
    for size in (3, 100):
        monkeypatch.setattr(listing, "PAGE", size)
        assert sorted(listing.tags(there)) == sorted((*names, "latest"))
    with pytest.raises(WherryError) as caught:
        listing.tags(opened(docker_registry, tmp_path, "nobody/made-this"))
    assert caught.value.name == "registry-not-found"


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (lambda own: [page(["a"], "/v2/app/tags/list?n=1000")], "registry-answer"),  # a loop
        (lambda own: [page(["a"], "http://169.254.169.254/x")], "registry-answer"),
        (lambda own: [page(["a"], "https://elsewhere.example/v2/app/tags/list")], "registry-answer"),
        (lambda own: [page(["a"], "file:///etc/passwd")], "steered"),
        (lambda own: [page(["../../etc", "a"])], "registry-answer"),
        (lambda own: [page(["a\x1b[2J"])], "registry-answer"),
        (lambda own: [page(7)], "json"),
        (lambda own: [Answer(200, {}, b"[" * 100_000)], "json"),
        (lambda own: [Answer(200, {}, b" " * (5 << 20))], "too-large"),
        (lambda own: [page([f"t{one}"], f"/v2/app/tags/list?n={one}") for one in range(1500)], "registry-answer"),
    ],
)
def test_odd_lists_have_one_error(
    answers: Callable[[str], list[Answer]], name: str, registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.extra = pages(*answers(registry.base))
    with pytest.raises(WherryError) as caught:
        listing.tags(opened(registry.host, tmp_path, "app"))
    assert caught.value.name == name
    assert len(registry.calls) <= 1001


def attachment(subject: Document, number: int = 1, kind: str = SBOM) -> Content:
    """An artifact that refers to `subject`."""
    data = json.dumps({"sbom": number}).encode()
    empty = Document(media_type=media.OCI_EMPTY, data=b"{}")
    layer = Descriptor(media_type=kind, digest=of_bytes(data), size=len(data))
    body = Manifest(
        schema_version=2,
        media_type=media.OCI_MANIFEST,
        artifact_type=kind,
        config=describe(empty),
        layers=(layer,),
        subject=describe(subject),
        annotations={"number": f"{number}"},
    )
    manifest = Document(media_type=media.OCI_MANIFEST, data=encode(body))
    held = {layer.digest: data, empty.digest: empty.data}
    return Content(
        descriptor=describe(manifest),
        manifests=(manifest,),
        configs=(),
        blobs=tuple(Blob(descriptor=one) for one in (layer, describe(empty))),
        open=lambda asked: iter((held[asked.digest],)),
    )


def attach(at: Registry, *contents: Content) -> None:
    for content in contents:
        at.put(content, (replace(at.place.reference, tag="", digest=content.digest),))


def test_a_registry_without_the_api_gets_a_tag(docker_registry: str, tmp_path: Path) -> None:
    """The index under `sha256-<hex>` holds all, whatever its kind, with artifact type and annotations, and each once."""
    there = opened(docker_registry, tmp_path)
    at = Registry(place(there), ports(tmp_path))
    built = random_image(tmp_path / "layers")
    at.publish(built)
    subject = built.images[0].manifest
    assert referrers.find(there, subject.digest) == ()
    first, second = attachment(subject, 1), attachment(subject, 2, "application/vnd.example.signature")
    attach(at, first, second, first)
    found = referrers.find(there, subject.digest)
    assert [(one.digest, one.artifact_type, one.annotations) for one in found] == [
        (first.digest, SBOM, {"number": "1"}),
        (second.digest, "application/vnd.example.signature", {"number": "2"}),
    ]
    assert [one.digest for one in referrers.find(there, subject.digest, artifact_type=SBOM)] == [first.digest]
    assert there.manifest(referrers.tag_of(subject.digest)).media_type == media.OCI_INDEX


def test_what_others_noted_stays_as_they_wrote_it(docker_registry: str, tmp_path: Path) -> None:
    there = opened(docker_registry, tmp_path)
    at = Registry(place(there), ports(tmp_path))
    subject = random_image(tmp_path / "layers").images[0].manifest
    first, second = attachment(subject, 1), attachment(subject, 2)
    attach(at, first)
    theirs = replace(describe(first.top), artifact_type="theirs/own", annotations={"kept": "yes"})
    index = Index(schema_version=2, media_type=media.OCI_INDEX, manifests=(theirs,), annotations={"whole": "kept"})
    put_tag(there, subject, encode(index))
    attach(at, second)
    found = referrers.find(there, subject.digest)
    assert found[0] == theirs
    assert [one.digest for one in found] == [first.digest, second.digest]
    assert b'"whole":"kept"' in there.manifest(referrers.tag_of(subject.digest)).data


def put_tag(there: Repository, subject: Document, data: bytes) -> None:
    address = url.manifest(there.base, there.reference, referrers.tag_of(subject.digest))
    headers = (("Content-Type", media.OCI_INDEX),)
    assert there.session.send(Request(method="PUT", url=address, headers=headers, body=data)).status == 201


@pytest.mark.parametrize("step", range(4))
def test_two_who_write_at_once_lose_nothing(step: int, proxy: FaultProxy, tmp_path: Path) -> None:
    """C10: at each request that touches the tag, another process attaches something, too."""
    subject = random_image(tmp_path / "layers").images[0].manifest
    ours, others = attachment(subject, 1), [attachment(subject, number) for number in (2, 3)]
    there = opened(proxy.host, tmp_path)
    count, inside = itertools.count(), threading.local()

    def gate(call: Passed) -> None:
        if "/manifests/sha256-" in call.path and not getattr(inside, "busy", False) and next(count) == step:
            inside.busy = True
            attach(
                Registry(
                    RegistryPlace(reference=parse(f"{proxy.upstream}/{tmp_path.name.lower()}")),
                    ports(tmp_path / "other"),
                ),
                *others,
            )

    proxy.gate = gate
    attach(Registry(place(there), ports(tmp_path)), ours)
    found = {one.digest for one in referrers.find(there, subject.digest)}
    assert ours.digest in found
    if step != 1:  # between our reading and our writing nothing of this registry's can tell us
        assert found == {ours.digest, *(one.digest for one in others)}


def test_an_endless_race_is_said(registry: FakeRegistry, tmp_path: Path) -> None:
    subject = random_image(tmp_path / "layers").images[0].manifest
    empty = encode(Index(schema_version=2, media_type=media.OCI_INDEX, manifests=()))

    def forget(call: Call) -> Answer | None:
        registry.manifests["app:" + referrers.tag_of(subject.digest)] = (empty, media.OCI_INDEX)
        return None

    registry.extra = forget
    at = Registry(place(opened(registry.host, tmp_path, "app")), ports(tmp_path))
    with pytest.raises(WherryError) as caught:
        attach(at, attachment(subject))
    assert caught.value.name == "referrers-race"


def answer_of(*found: Descriptor, following: str = "") -> Answer:
    body = encode(Index(schema_version=2, media_type=media.OCI_INDEX, manifests=found))
    headers = {"Content-Type": media.OCI_INDEX} | ({"Link": f'<{following}>; rel="next"'} if following else {})
    return Answer(200, headers, body)


def test_the_api_is_filtered_here_too_and_comes_in_pages(registry: FakeRegistry, tmp_path: Path) -> None:
    subject = random_image(tmp_path / "layers").images[0].manifest
    first, second, third = (
        referrers.referrer(attachment(subject, number, kind).top)
        for number, kind in ((1, SBOM), (2, "other/kind"), (3, SBOM))
    )
    registry.extra = pages(answer_of(first, second, following="/v2/app/referrers/next"), answer_of(third))
    there = opened(registry.host, tmp_path, "app")
    assert referrers.find(there, subject.digest, artifact_type=SBOM) == (first, third)
    assert "artifactType=application%2Fspdx%2Bjson" in registry.calls[0].path


@pytest.mark.parametrize("status", [400, 404, 405])
def test_no_api_is_asked_for_once(status: int, registry: FakeRegistry, tmp_path: Path) -> None:
    registry.faults.append(Scripted(path="/referrers/", status=status))
    there = opened(registry.host, tmp_path, "app")
    subject = of_bytes(b"subject")
    for _ in range(3):
        assert referrers.find(there, subject) == ()
    assert sum("/referrers/" in call.path for call in registry.calls) == 1


def test_deleting(docker_registry: str, tmp_path: Path) -> None:
    """This registry deletes digests and blobs, and no single tags."""
    there = opened(docker_registry, tmp_path)
    built = random_image(tmp_path / "layers")
    Registry(place(there), ports(tmp_path)).publish(built)
    with pytest.raises(WherryError) as caught:
        delete.tag(there, "latest")
    assert caught.value.name == "delete-refused"
    assert "digest" in caught.value.next[0]
    delete.manifest(there, built.digest)
    assert there.head("latest") is None
    delete.blob(there, built.images[0].layers[0].digest)
    assert not there.has(built.images[0].layers[0].digest)
    with pytest.raises(WherryError) as caught:
        delete.manifest(there, built.digest)
    assert caught.value.name == "registry-not-found"


def test_deleting_where_it_is_forbidden(proxy: FaultProxy, tmp_path: Path) -> None:
    there = opened(proxy.host, tmp_path)
    body = b'{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}'
    proxy.faults = [Fault("status", method="DELETE", status=405, body=body, times=9)]
    digest = of_bytes(b"1")
    acts: tuple[Callable[[], None], ...] = (lambda: delete.tag(there, "1"), lambda: delete.manifest(there, digest))
    for act in acts:
        with pytest.raises(WherryError) as caught:
            act()
        assert caught.value.name == "delete-refused"
        assert "unsupported" in caught.value.why
