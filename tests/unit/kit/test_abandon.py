"""Nothing half-written stays: not of another thread, nor where an interrupt comes, whatever line that is (H06)."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from wherry.cache.folders import locate
from wherry.cache.noop import check
from wherry.errors import UnavailableError
from wherry.kit import files, scratch
from wherry.kit.files import abandon, aside, atomic_write, atomic_writer
from wherry.kit.scratch import scratch_folder

OURS = (__file__, files.__file__, scratch.__file__, check.__file__)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    atomic_write(tmp_path / "whole", b"x")
    writing = atomic_writer(tmp_path / "record")
    writing.__enter__().write(b"half")
    assert len(list(tmp_path.iterdir())) == 2
    abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    with pytest.raises(UnavailableError):
        writing.__exit__(None, None, None)


def _file(place: Path) -> None:
    atomic_write(place / "one", b"x", durable=True)


def _folder(place: Path) -> None:
    with aside(place / "one") as made:
        made.mkdir()
        (made / "below").write_bytes(b"x")
        made.rename(place / "one")


def _scratch(place: Path) -> None:
    with scratch_folder(str(place / "scratch")) as folder:
        Path(folder, "one.tmp").write_bytes(b"x")
    (place / "one").touch()


def _index(place: Path) -> None:
    folders = locate({"WHERRY_CACHE_DIR": str(place)})
    check.save(folders, "one", b"{}")


def _struck(work: Callable[[Path], None], place: Path, at: int) -> bool:
    """Whether the interrupt came: as the line number `at` that is run in files.py or one of the writers above begins."""
    left = itertools.count(at, -1)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        ours = frame.f_code.co_filename in OURS
        if ours and event == "line" and next(left) == 0:
            raise KeyboardInterrupt
        return trace if ours else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(place)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files that the system closes
@pytest.mark.parametrize("work", [_file, _folder, _scratch, _index])
def test_an_interrupt_at_any_line_leaves_all_or_nothing(work: Callable[[Path], None], tmp_path: Path) -> None:
    place = tmp_path / "0"
    for at in itertools.count():  # pragma: no branch
        place = tmp_path / str(at)
        Path(locate({"WHERRY_CACHE_DIR": str(place)}).noop).mkdir(parents=True)
        came = _struck(work, place, at)
        abandon()
        assert not [*place.rglob("*.tmp"), *place.glob("scratch/*")], f"line {at}"
        if not came:
            break
    assert at > 10
    assert list(place.rglob("one*"))


def test_a_second_interrupt_while_the_first_takes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    writing = aside(tmp_path / "one")
    made = writing.__enter__()
    made.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(files, "_remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writing.__exit__(None, None, None)
    assert made.exists()
    abandon()
    assert list(tmp_path.iterdir()) == []
