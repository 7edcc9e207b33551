"""Packing: right digests, equal bytes whatever the threads, nothing done twice, nothing kept that is half or wrong."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from tests.support.packing import Memory, directory, file, old, packer
from tests.support.runbook import until
from wherry.assemble.pack import Packer, Purpose, pack
from wherry.assemble.pack import _settled as settled
from wherry.errors import BuildError, UnavailableError, UsageError
from wherry.kit import snapshot
from wherry.model.image import Layer
from wherry.model.plan import Packing
from wherry.oci.digest import Digest
from wherry.oci.layer import Packed, read
from wherry.oci.tar import Entry

APP = Purpose(role="app", history="wherry app: /app/x")
DATA = b"".join(hashlib.sha256(b"%d" % (number // 9)).digest() for number in range(150_000))
PACKINGS = [
    Packing(compression="gzip"), Packing(compression="gzip", level=6), Packing(compression="zstd"), Packing(compression="none"),
    Packing(format="docker", compression="gzip"),
]  # fmt: skip


def entries(path: Path) -> tuple[Entry, ...]:
    return (directory("app"), Entry(path="app/x", mode=0o555, content=old(path)))


def make(path: Path, use: Packer, packing: Packing | None = None) -> Layer:
    return pack(entries(path), packing or Packing(), APP, use)


def settle() -> None:
    """Waits for the next tick of the file system's clock, so that what was written before counts as settled."""
    time.sleep(0.02)


@pytest.mark.parametrize(
    "packing", PACKINGS, ids=lambda packing: f"{packing.format}-{packing.compression}-{packing.level}"
)
def test_the_layer_is_what_it_says(tmp_path: Path, packing: Packing) -> None:
    layer = make(file(tmp_path / "x", DATA), packer(tmp_path), packing)
    blob = Path(layer.file).read_bytes()
    assert layer.digest == "sha256:" + hashlib.sha256(blob).hexdigest()
    assert Path(layer.file) == tmp_path / "blobs" / layer.digest.path
    assert (layer.size, layer.role, layer.history, layer.reused) == (len(blob), "app", APP.history, False)
    found = Packed(
        file=layer.file, media_type=layer.media_type, digest=layer.digest, diff_id=layer.diff_id, size=layer.size
    )
    assert [(one.path, content.read(4)) for one, content in read(found)] == [("app", b""), ("app/x", DATA[:4])]
    assert layer.unpacked_size == 2 * 512 + len(DATA) + -len(DATA) % 512 + 1024


@pytest.mark.parametrize("packing", PACKINGS[:3], ids=lambda packing: f"{packing.compression}-{packing.level}")
def test_threads_do_not_show(tmp_path: Path, packing: Packing) -> None:
    path = file(tmp_path / "x", DATA)
    layers = [make(path, packer(tmp_path / str(threads), threads=threads), packing) for threads in (1, 2, 3, 8)]
    assert len({(layer.digest, layer.diff_id, layer.size) for layer in layers}) == 1


def test_only_the_settings_that_matter_show(tmp_path: Path) -> None:
    path = file(tmp_path / "x", DATA)
    digests = [make(path, packer(tmp_path / str(number)), packing).digest for number, packing in enumerate(PACKINGS)]
    assert digests[0] == digests[4]
    assert len(set(digests)) == 4


def test_an_unchanged_file_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, use = file(tmp_path / "x", DATA), packer(tmp_path)
    settle()
    first = make(path, use)
    made = entries(path)
    monkeypatch.setattr(snapshot, "read_at", None)
    again = pack(made, Packing(), APP, use)
    assert again.reused
    assert (again.digest, again.size, again.unpacked_size) == (first.digest, first.size, first.unpacked_size)


def test_an_equal_file_that_looks_new_is_hashed_and_not_packed(tmp_path: Path) -> None:
    path, use = file(tmp_path / "x", DATA), packer(tmp_path)
    first = make(path, use)
    Path(first.file).write_bytes(bytes(first.size))  # to see that it is not written again
    again = make(file(tmp_path / "copy", DATA), use)
    assert again.reused
    assert again.digest == first.digest
    assert Path(first.file).read_bytes() == bytes(first.size)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("age", "other_device", "trusted"),
    [(1, False, True), (0, False, False), (-1, False, False), (1, True, False), (3 * 10**9, True, True)],
)
def test_a_file_written_in_the_same_tick_is_not_trusted_by_its_times(
    tmp_path: Path, age: int, other_device: bool, trusted: bool
) -> None:
    """Its next change could leave all times as they are (as with git's racy index)."""
    (_, entry), began = entries(file(tmp_path / "x")), tmp_path.stat()
    assert isinstance(entry.content, snapshot.Snapshot)
    seen = msgspec.structs.replace(entry.content, ctime_ns=began.st_ctime_ns - age, device=began.st_dev + other_device)
    assert settled(msgspec.structs.replace(entry, content=seen), began) is trusted


@pytest.mark.parametrize("change", ["content", "name", "mode", "owner", "level"])
def test_e06_each_input_is_in_the_key(tmp_path: Path, change: str) -> None:
    path, use = file(tmp_path / "x", DATA), packer(tmp_path)
    settle()
    first = make(path, use)
    made = list(entries(path))
    packing = Packing(level=2 if change == "level" else 0)
    match change:
        case "level":
            pass
        case "content":
            path.write_bytes(DATA[::-1])
            made = list(entries(path))
        case "name":
            made[1] = Entry(path="app/y", mode=0o555, content=made[1].content)
        case "mode":
            made[1] = Entry(path="app/x", mode=0o444, content=made[1].content)
        case _:
            made[1] = Entry(path="app/x", mode=0o555, uid=1, content=made[1].content)
    second = pack(made, packing, APP, use)
    assert not second.reused
    assert second.digest != first.digest


@pytest.mark.parametrize("damage", ["gone", "short", "record", "other record"])
def test_a_damaged_cache_is_packed_over(tmp_path: Path, damage: str) -> None:
    path, records = file(tmp_path / "x", DATA), Memory()
    use = packer(tmp_path, records=records)
    settle()
    first = make(path, use)
    match damage:
        case "gone":
            Path(first.file).unlink()
        case "short":
            Path(first.file).chmod(0o600)
            Path(first.file).write_bytes(b"")
        case "record":
            records.kept = dict.fromkeys(records.kept, b"{not json")
        case _:
            evil = b'{"digest":"sha256:../../../etc/passwd","size":1,"diff_id":"x","unpacked_size":1}'
            records.kept = dict.fromkeys(records.kept, evil)
    again = make(path, use)
    assert again.digest == first.digest
    assert hashlib.sha256(Path(again.file).read_bytes()).hexdigest() == first.digest.hex


def test_a_source_that_changes_leaves_nothing_behind(tmp_path: Path) -> None:
    path, use = file(tmp_path / "x", DATA), packer(tmp_path)
    made = entries(path)
    path.write_bytes(DATA + b"more")
    with pytest.raises(BuildError) as caught:
        pack(made, Packing(), APP, use)
    assert caught.value.name == "file-changed"
    assert not list((tmp_path / "scratch").iterdir())
    assert not list((tmp_path / "blobs").rglob("*"))


def test_an_interrupt_in_the_middle_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records, reads, read_at = Memory(), itertools.count(), snapshot.read_at

    def interrupting(source: snapshot.Snapshot, offset: int, buffer: memoryview) -> None:
        if next(reads) == 5:
            os.kill(os.getpid(), signal.SIGALRM)
        read_at(source, offset, buffer)

    monkeypatch.setattr(snapshot, "read_at", interrupting)
    use = packer(tmp_path, records=records)
    with (tmp_path / "big").open("wb") as big:
        big.truncate(2 << 30)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "big", use)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not list((tmp_path / "scratch").iterdir())
    assert not list((tmp_path / "blobs").rglob("*"))
    assert not records.kept
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("wherry-pack")])


def test_bytes_that_differ_between_the_two_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when every time stamp says nothing: the CRCs of both readings are compared."""
    calls: list[int] = []

    def lying(_: snapshot.Snapshot, offset: int, buffer: memoryview) -> None:
        calls.append(offset)
        buffer[:] = bytes((len(calls) & 0xFF,)) * len(buffer)

    made = entries(file(tmp_path / "x", DATA))
    monkeypatch.setattr(snapshot, "read_at", lying)
    with pytest.raises(BuildError) as caught:
        pack(made, Packing(), APP, packer(tmp_path))
    assert caught.value.name == "file-changed"


def test_docker_has_no_zstd(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pack((), Packing(format="docker", compression="zstd"), APP, packer(tmp_path))
    assert caught.value.name == "docker-zstd"


def test_e05_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    use = packer(tmp_path)
    (tmp_path / "scratch").rmdir()
    with pytest.raises(UnavailableError) as caught:
        make(file(tmp_path / "x"), use)
    assert caught.value.name == "disk"


def test_an_empty_layer_is_a_layer(tmp_path: Path) -> None:
    layer = pack((), Packing(), APP, packer(tmp_path))
    assert layer.unpacked_size == 1024
    assert layer.diff_id == Digest("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")


MEASURE = """
import resource, sys
from pathlib import Path
from tests.support.packing import packer
from tests.unit.assemble.test_pack import entries, APP, Packing, pack
import deflate, zstandard, ssl
folder, method = Path(sys.argv[1]), sys.argv[2]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pack(entries(folder / "big"), Packing(compression=method), APP, packer(folder, threads=64))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gzip", "zstd", "none"])
def test_memory_is_flat(tmp_path: Path, method: str) -> None:
    """At most 64 MiB for a file of 1 GB; half of it is holes, so that the test takes seconds."""
    with (tmp_path / "big").open("wb") as big:
        for number in range(8):
            big.seek(number << 27)
            big.write(DATA)
        big.truncate(1 << 30)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path, method],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 64 << 10
