"""Records come back as they were put, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.caches import cache
from wherry.cache.records import Records, key
from wherry.kit.ports import Records as Port


def records(folder: Path) -> Records:
    return Records(cache(folder))


def test_what_was_put_is_got(tmp_path: Path) -> None:
    port: Port = records(tmp_path)
    assert port.get("a") is None
    port.put("a", b"one")
    port.put("b", b"")
    port.put("a", b"two")
    again: Port = records(tmp_path)
    assert (again.get("a"), again.get("b"), again.get("c")) == (b"two", b"", None)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", "..", "", "\n", "a" * 5000, "ключ"])
def test_a_key_is_never_a_path(name: str, tmp_path: Path) -> None:
    kept = records(tmp_path)
    kept.put(name, b"value")
    assert kept.get(name) == b"value"
    assert [path.parent for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size == 70] == [
        Path(kept.folders.records)
    ]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def flip_first(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    other = path.with_name("elsewhere")
    path.rename(other)
    path.symlink_to(other)


DAMAGES = [flip, flip_first, truncate, empty, directory, pipe, link]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_a_miss_once_and_never_in_the_way(damage: Callable[[Path], None], tmp_path: Path) -> None:
    kept = records(tmp_path)
    kept.put("a", b"value")
    damage(kept.path("a"))
    assert kept.get("a") is None
    assert [finding.name for finding in kept.findings] == ["damaged-cache"]
    assert kept.get("a") is None
    assert len(kept.findings) == 1
    kept.put("a", b"again")
    assert kept.get("a") == b"again"
    assert len(list(Path(kept.folders.damaged).iterdir())) == 1


def test_a_directory_in_the_way_is_moved_by_put(tmp_path: Path) -> None:
    kept = records(tmp_path)
    kept.path("a").mkdir()
    kept.put("a", b"value")
    assert kept.get("a") == b"value"


def test_a_record_under_the_name_of_another_is_none(tmp_path: Path) -> None:
    kept = records(tmp_path)
    kept.put("a", b"value")
    kept.path("a").rename(kept.path("b"))
    assert kept.get("b") is None


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path) -> None:
    kept = records(tmp_path)
    Path(kept.folders.records).rmdir()
    kept.put("a", b"value")
    assert kept.get("a") is None
    assert kept.findings == []


def test_writing_and_reading_a_record_marks_the_blobs_it_names_as_used(tmp_path: Path) -> None:
    kept = records(tmp_path)
    name = hashlib.sha256(b"blob").hexdigest()
    kept.put("a", b'{"digest":"sha256:%s"}' % name.encode())
    used = Path(kept.folders.used, name)
    os.utime(used, (1, 1))
    kept.get("a")
    assert used.stat().st_mtime > 1


def test_keys_of_different_inputs_differ() -> None:
    inputs: list[tuple[str | int | tuple[object, ...] | None, ...]] = [
        (),
        ("",),
        ("a", "b"),
        ("ab",),
        ("a,b",),
        (("a", "b"),),
        (("a",), "b"),
        ("a", None),
        ("1",),
        (1,),
    ]
    keys = {key("k", *one) for one in inputs} | {key("other", "a", "b")}
    assert len(keys) == len(inputs) + 1
    assert key("k", "a", ("b", 1)) == key("k", "a", ("b", 1))
