"""What another thread is writing goes with a process that ends without it (H06)."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.errors import UnavailableError
from wherry.kit.files import abandon, atomic_write, atomic_writer


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    atomic_write(tmp_path / "whole", b"x")
    writing = atomic_writer(tmp_path / "record")
    writing.__enter__().write(b"half")
    assert len(list(tmp_path.iterdir())) == 2
    abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    with pytest.raises(UnavailableError):
        writing.__exit__(None, None, None)
