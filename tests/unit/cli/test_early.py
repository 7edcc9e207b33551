"""Blobs sent before anybody asked for them: only what is certainly meant, only to whom it is meant for, and never believed there
when it is not."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answers import serving
from tests.support.begun import TWO, Yard, described
from tests.support.registry import Answer, FakeRegistry, Fault, fake_registry, refusal
from wherry.cache.noop import wire
from wherry.cli import early


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no answer; and nothing is left from the test before."""
    monkeypatch.setattr(wire, "TIMEOUT", 60.0)
    monkeypatch.setattr(early, "UNSEEN", 60.0)
    monkeypatch.setattr(early, "_begun", {})


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with fake_registry() as registry:
        yield Yard(tmp_path, registry, TWO)


def test_every_blob_is_asked_for_begun_and_sent_once(yard: Yard) -> None:
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(True, "")] * 6
    assert {one: yard.file(one).read_bytes() for one in yard.digests} == yard.registry.blobs
    assert sorted(call.method for call in yard.registry.calls) == ["HEAD"] * 6 + ["POST"] * 6 + ["PUT"] * 6
    assert not any("manifests" in call.path for call in yard.registry.calls)
    assert not any("authorization" in call.headers for call in yard.registry.calls)


def test_what_nobody_sends_is_not_waited_for(yard: Yard) -> None:
    assert yard.found(yard.digests[0]) == (False, "")
    yard.begin()
    assert early.found(f"{yard.registry.base}/v2/team/other/blobs/{yard.digests[0]}", lambda _: None) == (False, "")


def test_what_is_there_is_not_sent(yard: Yard) -> None:
    """Nor counted as sent: whoever asks the registry hears it."""
    yard.begin()
    yard.found(yard.digests[-1])
    for one in yard.digests:
        yard.found(one)
    yard.registry.calls.clear()
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6
    assert {call.method for call in yard.registry.calls} == {"HEAD"}


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})),
        ("HEAD", Answer(307, {"Location": "/elsewhere"})),
        ("HEAD", Answer(500)),
        ("POST", Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})),
        ("POST", Answer(403)),
        ("POST", Answer(202)),
        ("POST", Answer(202, {"Location": "http://127.0.0.1:9/v2/x"})),
        ("POST", Answer(202, {"Location": "https://registry.example/v2/x"})),
        ("POST", Answer(202, {"Location": "//registry.example/v2/x"})),
        ("POST", Answer(201, {"Location": "/v2/x"})),
        ("POST", Answer(307, {"Location": "/v2/x"})),
    ],
)
def test_who_does_not_plainly_take_it_gets_no_byte(method: str, answer: Answer, yard: Yard) -> None:
    yard.registry.extra = lambda call: answer if call.method == method else None
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6
    assert {call.method for call in yard.registry.calls} == {"HEAD", method}
    assert yard.registry.blobs == {}


@pytest.mark.parametrize("status", [200, 202, 307, 400, 413, 416, 429, 500])
def test_a_no_to_the_whole_leaves_nothing_to_go_on_with(status: int, yard: Yard) -> None:
    yard.registry.faults = [Fault(method="PUT", status=status, headers={"Location": "/v2/x"}, times=99)]
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6


def test_another_digest_than_was_sent_is_not_believed(yard: Yard) -> None:
    yard.registry.faults = [Fault(method="PUT", status=201, headers={"Docker-Content-Digest": "sha256:0"}, times=99)]
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(False, "")] * 6


def test_a_damaged_blob_is_never_there(yard: Yard) -> None:
    """Of the right size, so only its digest says so, and the registry compares that before it keeps anything."""
    bad = yard.digests[0]
    data = bytearray(yard.file(bad).read_bytes())
    data[len(data) // 2] ^= 1
    yard.file(bad).write_bytes(data)
    yard.begin()
    assert [yard.found(one)[0] for one in yard.digests] == [False] + [True] * 5
    assert bad not in yard.registry.blobs


def test_where_it_broke_off_is_told(yard: Yard) -> None:
    yard.registry.location = f"{yard.registry.base}{{path}}"
    yard.registry.faults = [Fault(method="PUT", cut=True, times=99)]
    yard.begin()
    for one in yard.digests:
        there, location = yard.found(one)
        assert not there
        assert re.fullmatch(rf"{yard.registry.base}/v2/team/app/blobs/uploads/\d+\?state=a%2Fb", location)


def test_a_file_that_shrinks_meanwhile_is_not_filled_up(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    big = yard.digests[0]
    real, size = os.readv, yard.file(big).stat().st_size

    def shrinking(file: int, blocks: tuple[memoryview]) -> int:
        if os.fstat(file).st_size == size:
            os.truncate(yard.file(big), size // 2)
        return real(file, blocks)

    monkeypatch.setattr(os, "readv", shrinking)
    yard.begin()
    there, location = yard.found(big)
    assert not there
    assert location
    assert big not in yard.registry.blobs


def test_what_a_file_has_grown_by_is_not_sent(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.readv

    def growing(file: int, blocks: tuple[memoryview]) -> int:
        with Path(f"/proc/self/fd/{file}").open("ab") as more:
            more.write(b"more" * 100_000)
        return real(file, blocks)

    sizes = {one: yard.file(one).stat().st_size for one in yard.digests}
    monkeypatch.setattr(os, "readv", growing)
    yard.begin()
    assert [yard.found(one) for one in yard.digests] == [(True, "")] * 6
    assert {one: len(data) for one, data in yard.registry.blobs.items()} == sizes


def test_how_far_it_is_can_be_seen(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "TICK", 0.01)

    def slowly(call: object) -> None:
        time.sleep(0.05)

    yard.registry.authorize = slowly
    seen: list[int] = []
    yard.begin()
    early.found(f"{yard.registry.base}/v2/team/app/blobs/{yard.digests[0]}", seen.append)
    assert seen
    assert seen == sorted(seen)
    assert max(seen) <= yard.file(yard.digests[0]).stat().st_size


def puts(registry: FakeRegistry) -> list[str]:
    return [
        call.path.rpartition("/")[2] for call in registry.calls if call.method == "PUT" and "manifests" in call.path
    ]


def test_manifests_follow_and_tags_are_last(yard: Yard) -> None:
    sent = yard.begin().finish(["1", "latest"])
    images = [image.manifest for image in yard.built.images]
    assert puts(yard.registry) == [*(str(one.digest) for one in images), "1", "latest"]
    top = yard.top
    assert yard.registry.manifests["team/app:latest"] == (top.data, top.media_type)
    assert sent == sum(yard.file(one).stat().st_size for one in yard.digests) + sum(
        one.size for one in (*images, top, top)
    )


def test_what_was_there_counts_as_there_and_not_as_sent(yard: Yard) -> None:
    yard.begin().finish(["1"])
    there = yard.begin().finish(["2"])
    assert "team/app:2" in yard.registry.manifests
    assert there is not None
    assert there < 5000


def test_no_manifest_before_all_blobs(yard: Yard) -> None:
    yard.registry.faults = [Fault(method="PUT", path=yard.digests[3], status=500)]
    assert yard.begin().finish(["1"]) is None
    assert yard.registry.manifests == {}
    assert [yard.found(one)[0] for one in yard.digests] == [number != 3 for number in range(6)]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_blob_is_not_waited_for_long(terminal: bool, yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even as long as a log would be silent, where somebody looks on."""
    monkeypatch.setattr(early, "SOON", 0.05 if terminal else 60.0)
    monkeypatch.setattr(early, "UNSEEN", 60.0 if terminal else 0.05)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    hold = threading.Event()
    yard.registry.authorize = lambda call: (hold.wait(60), None)[1]
    begun = yard.begin()
    assert begun.finish(["1"]) is None
    hold.set()
    assert yard.registry.manifests == {}


def test_a_blob_that_is_refused_is_not_waited_for_with_the_rest(yard: Yard) -> None:
    hold, last, began = threading.Event(), yard.digests[-1].encode(), time.monotonic()

    def script(connection: socket.socket, request: bytes) -> None:
        if last not in request:
            hold.wait(60)
        connection.sendall(b"HTTP/1.0 500 No\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)

    with serving(script) as server:
        top = described(yard.top.media_type, str(yard.top.digest), yard.top.size)
        begun = early.Begun(str(yard.layout), top, ("127.0.0.1", server.port), "team/app")
        assert begun.finish(["1"]) is None
        assert time.monotonic() - began < 30
        hold.set()


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, "MANIFEST_BLOB_UNKNOWN"),
        Answer(401),
        Answer(202),
        Answer(201, {"Docker-Content-Digest": "sha256:0"}),
        Answer(500),
    ],
)
def test_a_manifest_that_is_not_taken_ends_it(answer: Answer, yard: Yard) -> None:
    """Here, before a tag; the long way says why, or tries again."""
    yard.registry.extra = lambda call: answer if call.method == "PUT" and "manifests" in call.path else None
    assert yard.begin().finish(["1"]) is None
    assert len(puts(yard.registry)) == 1


def test_a_blob_is_believed_once(yard: Yard) -> None:
    """Who asks again has heard that it is lost."""
    yard.begin()
    assert yard.found(yard.digests[0]) == (True, "")
    assert yard.found(yard.digests[0]) == (False, "")
