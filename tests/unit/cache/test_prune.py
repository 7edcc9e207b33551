"""What is kept is shown, and what is unused for longest goes first."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.caches import cache
from wherry.cache import blobs as blobs_module
from wherry.cache import records as records_module
from wherry.cache.blobs import Blobs, temporary
from wherry.cache.contents import df
from wherry.cache.folders import TAG, Folders
from wherry.cache.leases import lease
from wherry.cache.prune import Freed, Order, limit_of, prune, prune_if_due, size_of
from wherry.cache.records import Records
from wherry.errors import RefusedError, UsageError
from wherry.oci.digest import Digest

NOW = 2_000_000_000.0


def now() -> float:
    return NOW


def aged(path: Path, age: float) -> None:
    os.utime(path, (NOW - age, NOW - age), follow_symlinks=False)


def blob(folders: Folders, data: bytes, age: float) -> Path:
    path = Blobs(folders, Records(folders)).path(Blobs(folders, Records(folders)).add(data))
    aged(path, age)
    return path


def record(folders: Folders, key: str, data: bytes, age: float) -> Path:
    Records(folders).put(key, data)
    aged(Records(folders).path(key), age)
    return Records(folders).path(key)


def binary(folders: Folders, name: str, size: int) -> Path:
    folder = Path(folders.binaries, name * 32)
    folder.mkdir()
    (folder / "app").write_bytes(b"x" * size)
    (folder / ".app.json").write_text("{}")
    return folder


def test_df_counts_each_kind(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    assert {(row.count, row.bytes, row.oldest) for row in df(folders)} == {(0, 0, 0.0)}
    kept = blob(folders, b"1" * 100, age=50)
    shared = blob(folders, b"2" * 70, age=20)
    os.link(shared, tmp_path / "in-the-store")
    binary(folders, "a", 30)
    record(folders, "k", b"12345", age=10)
    Path(folders.records, "no record.txt").write_text("x")
    Path(folders.damaged, "thing.1234").write_text("123")
    rows = {row.kind: row for row in df(folders)}
    assert (rows["layers"].count, rows["layers"].bytes, rows["layers"].shared) == (2, 100, 70)
    assert rows["layers"].oldest == kept.stat().st_mtime == NOW - 50
    assert (rows["binaries"].count, rows["binaries"].bytes) == (1, 32)
    assert (rows["records"].count, rows["records"].bytes) == (1, 70)
    assert rows["damaged"].bytes == 3
    assert rows["unchanged builds"].count == 0


def test_the_limit_takes_what_was_unused_for_longest(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    paths = [blob(folders, letter * 100, age) for letter, age in ((b"a", 10), (b"b", 400), (b"c", 200), (b"d", 300))]
    freed = prune(folders, Order(limit=250), now)
    assert [path.exists() for path in paths] == [True, False, True, False]
    assert freed == Freed(count=2, bytes=200)
    assert prune(folders, Order(limit=250), now) == Freed()


def test_a_used_blob_is_younger_than_its_file(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    old, young = blob(folders, b"a" * 100, 1_200_000_000), blob(folders, b"b" * 100, 1_000_000_000)
    Records(folders).put("k", b'"sha256:%s"' % old.name.encode())
    Records(folders).get("k")
    prune(folders, Order(limit=sum(row.bytes for row in df(folders)) - 1), now)
    assert (old.exists(), young.exists()) == (True, False)


def test_what_is_older_than_a_time_goes(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    old, young = record(folders, "a", b"", 400), record(folders, "b", b"", 10)
    assert prune(folders, Order(before=NOW - 100), now).count == 1
    assert (old.exists(), young.exists()) == (False, True)


def test_everything_goes_when_nothing_runs(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    paths = [blob(folders, b"a", 0), binary(folders, "a", 10), record(folders, "a", b"", 0)]
    Path(folders.noop, f"{'0' * 64}.json").write_text("{}")
    (Path(folders.damaged) / "dir.1" / "deeper").mkdir(parents=True)
    (Path(folders.damaged) / "dir.1" / "deeper" / "file").write_text("x")
    freed = prune(folders, Order(everything=True), now)
    assert freed.count == 5
    assert not any(path.exists() for path in paths)
    assert {row.count for row in df(folders)} == {0}
    assert prune(folders, Order(everything=True), now) == Freed()


def test_what_a_living_run_uses_or_made_stays(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    blobs = Blobs(folders, Records(folders))
    used, unused = blob(folders, b"used", 1_000_000_000), blob(folders, b"unused", 1_000_000_000)
    with lease(folders):
        assert blobs.get(Digest(f"sha256:{used.name}"), 4)
        made = blobs.path(blobs.add(b"made"))
        freed = prune(folders, Order(everything=True), lambda: used.parent.stat().st_mtime + 10**6)
        assert (used.exists(), unused.exists(), made.exists()) == (True, False, True)
        assert (freed.count, freed.in_use) == (1, 3)  # the record of what was hashed, too
    assert prune(folders, Order(everything=True), now).count == 3
    assert list(Path(folders.used).iterdir()) == []


def test_an_old_file_renamed_over_a_young_one_is_in_use(tmp_path: Path) -> None:
    """Two runs make the same blob; the slow one ends last, and its file is older than the lease of the other."""
    folders = cache(tmp_path)
    slow = temporary(folders)
    slow.write_bytes(b"data")
    aged(slow, 1_000_000_000)
    with lease(folders):
        blobs = Blobs(folders, Records(folders))
        digest = blobs.add(b"data")
        slow.replace(blobs.path(digest))
        prune(folders, Order(everything=True), lambda: slow.parent.stat().st_mtime + 10**6)
        assert blobs.path(digest).exists()


def test_between_finding_a_blob_and_using_it_nothing_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = cache(tmp_path)
    path = blob(folders, b"data", 1_000_000_000)
    pruning = threading.Thread(target=lambda: prune(folders, Order(everything=True), now))
    real = records_module.stamp

    def stamp_late(folders: Folders, name: str) -> None:
        pruning.start()
        time.sleep(0.1)
        real(folders, name)

    monkeypatch.setattr(blobs_module, "stamp", stamp_late)
    with lease(folders):
        assert Blobs(folders, Records(folders)).get(Digest(f"sha256:{path.name}"), 4) == path
        pruning.join()
        assert path.exists()


def test_beside_a_living_run_the_last_minutes_stay_even_if_the_clock_was_set(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    young, old = blob(folders, b"young", 299), blob(folders, b"old", 301)
    with lease(folders):
        for path in Path(folders.locks).glob("*.run"):
            os.utime(path, (NOW + 5000, NOW + 5000))
        prune(folders, Order(everything=True), now)
    assert (young.exists(), old.exists()) == (True, False)


def test_leftovers_of_killed_runs_go(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    left = [
        Path(folders.records, ".abc.0123.tmp"),
        Path(folders.blobs, "sha256", ".abc.0123.tmp"),
        Path(folders.scratch, "blob-0123.tmp"),
        Path(folders.used, "0" * 64),
    ]
    for path in left:
        path.write_text("half")
    with lease(folders):
        fresh = Path(folders.noop, ".abc.tmp")
        fresh.write_text("half")
        for path in left:
            aged(path, 1_000_000_000)
        prune(folders, Order(), lambda: fresh.stat().st_mtime)
        assert not any(path.exists() for path in left)
        assert fresh.exists()


def test_once_a_day(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    path = blob(folders, b"a" * 100, 10)
    assert prune_if_due(folders, 1000, now) == Freed()
    assert prune_if_due(folders, 10, lambda: NOW + 3600) is None
    assert path.exists()
    assert prune_if_due(folders, 10, lambda: NOW + 90_000) == Freed(count=1, bytes=100)
    assert prune_if_due(folders, 10, lambda: NOW - 90_000) == Freed()


def test_no_cache_is_nothing_to_prune(tmp_path: Path) -> None:
    folders = Folders(str(tmp_path / "none"))
    assert prune(folders, Order(everything=True), now) == Freed()
    assert {row.count for row in df(folders)} == {0}
    assert not (tmp_path / "none").exists()


def test_a_folder_without_wherrys_mark_is_left_alone(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    path = record(folders, "a", b"", 0)
    Path(folders.path, TAG).unlink()
    with pytest.raises(RefusedError) as caught:
        prune(folders, Order(everything=True), now)
    assert caught.value.name == "not-a-cache"
    assert path.exists()


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5_000_000_000), ("500 mb", 500_000_000), ("7", 7), ("0", 0), ("2k", 2000), ("1TB", 10**12), ("3B", 3)],
)
def test_sizes(text: str, size: int) -> None:
    assert size_of(text, "--limit ") == size


@pytest.mark.parametrize("text", ["", "-1", "5 GiB", "1.5GB", "GB", "5G B", "٣"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        size_of(text, "--limit ")
    assert caught.value.name == "bad-cache-limit"
    assert (caught.value.where, caught.value.next) == (
        (f"--limit {text[:50]}",),
        ("write it like --limit 5GB or --limit 500MB",),
    )
    with pytest.raises(UsageError, match="is no size") as caught:
        limit_of(Folders("/nowhere"), {"WHERRY_CACHE_LIMIT": text or "x"})
    assert caught.value.where[0].startswith("WHERRY_CACHE_LIMIT=")


def test_the_limit_is_the_users_or_a_share_of_the_disk(tmp_path: Path) -> None:
    folders = Folders(str(tmp_path / "none"))
    disk = os.statvfs(tmp_path)
    assert limit_of(folders, {"WHERRY_CACHE_LIMIT": " 5MB "}) == 5_000_000
    assert limit_of(folders, {"WHERRY_CACHE_LIMIT": ""}) == min(5_000_000_000, disk.f_blocks * disk.f_frsize // 10)
