"""A blob's path is given only for the very bytes its digest names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.caches import cache
from tests.unit.cache.test_records import DAMAGES
from wherry.cache import blobs
from wherry.cache.blobs import Blobs, temporary
from wherry.cache.records import Records
from wherry.oci.digest import of_bytes

DATA = b"some bytes" * 100


def store(folder: Path) -> Blobs:
    folders = cache(folder)
    return Blobs(folders, Records(folders))


@pytest.fixture(name="hashed")
def count_hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every file that is read to be hashed."""
    seen: list[str] = []
    real = blobs._hash

    def hashed(path: Path) -> str:
        seen.append(path.name)
        return real(path)

    monkeypatch.setattr(blobs, "_hash", hashed)
    return seen


def test_what_was_added_is_got(tmp_path: Path) -> None:
    kept = store(tmp_path)
    digest = kept.add(DATA)
    path = kept.get(digest, len(DATA))
    assert path is not None
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o400
    assert kept.get(of_bytes(b"other"), 5) is None


def test_a_file_is_taken_in_by_its_digest(tmp_path: Path) -> None:
    kept = store(tmp_path)
    made = temporary(kept.folders)
    made.write_bytes(DATA)
    taken = kept.take(made, of_bytes(DATA))
    assert not made.exists()
    assert kept.get(of_bytes(DATA), len(DATA)) == taken


def test_a_blob_is_hashed_once_until_something_about_it_changes(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store(tmp_path)
    digest = kept.add(DATA)
    for _ in range(3):
        assert store(tmp_path).get(digest, len(DATA))
    assert len(hashed) == 1
    kept.path(digest).touch()
    assert store(tmp_path).get(digest, len(DATA))
    assert len(hashed) == 2
    monkeypatch.setattr(blobs, "boot_id", lambda: "after a power cut")
    assert store(tmp_path).get(digest, len(DATA))
    assert len(hashed) == 3


def test_without_a_boot_id_every_use_is_hashed(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "BOOT_ID", str(tmp_path / "none"))
    kept = store(tmp_path)
    digest = kept.add(DATA)
    assert kept.get(digest, len(DATA))
    assert kept.get(digest, len(DATA))
    assert len(hashed) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_blob_is_moved_aside_and_can_be_added_again(damage: Callable[[Path], None], tmp_path: Path) -> None:
    kept = store(tmp_path)
    digest = kept.add(DATA)
    assert kept.get(digest, len(DATA))
    kept.path(digest).chmod(0o600)
    damage(kept.path(digest))
    assert kept.get(digest, len(DATA)) is None
    assert [finding.name for finding in kept.findings] == ["damaged-cache"]
    assert kept.add(DATA) == digest
    assert kept.get(digest, len(DATA))


def test_a_directory_in_the_way_is_moved_by_add_and_take(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.path(of_bytes(DATA)).mkdir()
    kept.add(DATA)
    kept.path(of_bytes(DATA)).unlink()
    kept.path(of_bytes(DATA)).mkdir()
    made = temporary(kept.folders)
    made.write_bytes(DATA)
    kept.take(made, of_bytes(DATA))
    assert kept.get(of_bytes(DATA), len(DATA))


def test_the_wrong_size_is_no_blob(tmp_path: Path) -> None:
    kept = store(tmp_path)
    digest = kept.add(DATA)
    assert kept.get(digest, len(DATA) + 1) is None


def test_using_a_blob_leaves_a_stamp(tmp_path: Path) -> None:
    kept = store(tmp_path)
    digest = kept.add(DATA)
    kept.get(digest, len(DATA))
    assert Path(kept.folders.used, hashlib.sha256(DATA).hexdigest()).exists()
