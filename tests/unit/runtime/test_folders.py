"""Containers' folders: what removes one while somebody still writes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.runtime import folders
from wherry.runtime.folders import RECORD, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    path = tmp_path / "f00"
    (path / "bundle").mkdir(parents=True)
    for name in (RECORD, "pid", "bundle/config.json"):
        (path / name).write_text("{}")
    return Place(path)


def test_a_late_writer_is_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime whose wherry was killed goes on for a moment."""
    take_away, late = folders._take_away, [place.path / "state", place.path / "code"]

    def taken(entry: Path) -> None:
        take_away(entry)
        if late:
            late.pop().write_text("0")

    monkeypatch.setattr(folders, "_take_away", taken)
    place.remove()
    assert not place.path.exists()


def test_what_is_written_without_end_keeps_its_record(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """So whoever comes next cleans it up."""
    monkeypatch.setattr(folders, "AGAIN", (0.0, 0.0))
    monkeypatch.setattr(folders, "_take_away", lambda _: None)
    with pytest.raises(OSError, match="not empty"):
        place.remove()
    assert (place.path / RECORD).exists()
