"""Files that change between being looked at and being read are never read as if nothing had happened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.packing import file, old
from wherry.errors import BuildError
from wherry.kit import snapshot


def test_what_is_looked_at_is_what_is_read(tmp_path: Path) -> None:
    seen = old(file(tmp_path / "x", b"0123456789", 0o755))
    part = bytearray(4)
    snapshot.read_at(seen, 3, memoryview(part))
    assert (bytes(part), seen.size, seen.executable) == (b"3456", 10, True)


def _grow(path: Path) -> None:
    path.write_bytes(b"0123456789+")


def _shrink(path: Path) -> None:
    path.write_bytes(b"01")


def _edit(path: Path) -> None:
    path.write_bytes(b"9876543210")


def _edit_and_hide(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"9876543210")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace(path: Path) -> None:
    file(path.with_name("y"), b"9876543210").replace(path)


def _link(path: Path) -> None:
    path.rename(path.with_name("y"))
    path.symlink_to("y")


def _remove(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    """The folder becomes a link to another one that holds a file of the same name."""
    file(path.parent.with_name("other") / path.name, b"9876543210")
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to("other")


@pytest.mark.parametrize("change", [_grow, _shrink, _edit, _edit_and_hide, _replace, _link, _remove, _folder])
def test_a_change_is_an_error(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = file(tmp_path / "folder" / "x", b"0123456789")
    os.utime(path, ns=(10**18, 10**18))
    seen = old(path)
    change(path)
    with pytest.raises(BuildError) as caught:
        snapshot.read_at(seen, 0, memoryview(bytearray(10)))
    assert caught.value.name == "file-changed"


def test_names_of_a_shared_file_come_and_go(tmp_path: Path) -> None:
    """Another wherry keeps the same program, and takes its own name of it away."""
    path, name = file(tmp_path / "x", b"0123456789"), tmp_path / "kept"
    seen = snapshot.look(str(path), shared=True)
    os.utime(path, ns=(10**18, 10**18))
    for change in (lambda: os.link(path, name), lambda: file(tmp_path / "y", b"").replace(name)):
        change()
        part = bytearray(10)
        snapshot.read_at(seen, 0, memoryview(part))
        assert part == b"0123456789"


@pytest.mark.parametrize("change", [_grow, _shrink, _replace, _link, _remove, _folder])
def test_another_file_is_no_shared_one(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = file(tmp_path / "folder" / "x", b"0123456789")
    seen = snapshot.look(str(path), shared=True)
    change(path)
    with pytest.raises(BuildError) as caught:
        snapshot.read_at(seen, 0, memoryview(bytearray(10)))
    assert caught.value.name == "file-changed"


def test_only_files_are_looked_at(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(BuildError) as caught:
            snapshot.look(str(path))
        assert caught.value.name == "not-a-file"
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(OSError, match="symbolic"):
        snapshot.look(str(tmp_path / "link"))
