"""E02, E05, H06: what stays of a layout that a copy began and could not end: what the next run need not bring, or nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.runbook import until
from wherry.errors import UnavailableError
from wherry.oci.descriptor import Descriptor
from wherry.store import layout
from wherry.store.content import Content, content_of
from wherry.store.place import LayoutPlace

LAYERS = 6


def full() -> UnavailableError:
    error = UnavailableError("disk", "could not use it", where="it", next="free space")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


def gone() -> UnavailableError:
    return UnavailableError("registry-unavailable", "it does not answer", where="it", next="try again")


@pytest.fixture
def content(tmp_path: Path) -> Content:
    return content_of(random_image(tmp_path / "layers", seed=7, shape=Shape(layers=LAYERS)))


def put(folder: Path, content: Content) -> int:
    """How many bytes it wrote."""
    return layout.Layout(LayoutPlace(directory=str(folder), tag="1")).put(content)[0].sent


def blobs(folder: Path) -> list[Path]:
    return [path for path in folder.glob("blobs/*/*") if not path.name.endswith(".tmp")]


def cut(content: Content, folder: Path, after: int, error: BaseException) -> Content:
    """`content` whose first `after` blobs come to `folder`; instead of the next one there is `error`."""
    come, before = iter(range(LAYERS)), len(blobs(folder))

    def opening(descriptor: Descriptor) -> Iterator[bytes]:
        if next(come) >= after:
            until(lambda: len(blobs(folder)) == before + after)
            raise error
        yield from content.open(descriptor)

    return replace(content, open=opening)


@pytest.mark.parametrize("error", [gone(), KeyboardInterrupt()], ids=["network", "interrupt"])
def test_whole_blobs_stay_for_the_next_run(error: BaseException, content: Content, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "layout"
    with pytest.raises(type(error)):
        put(folder, cut(content, folder, 2, error))
    with pytest.raises(UnavailableError):  # which did not begin it
        put(folder, cut(content, folder, 0, full()))
    there = sum(path.stat().st_size for path in blobs(folder))
    assert len(blobs(folder)) == 2
    assert put(folder, content) == content.size - there


@pytest.mark.parametrize(("after", "error"), [(0, gone()), (0, KeyboardInterrupt()), (2, full())])
@pytest.mark.parametrize("there", [False, True], ids=["new", "empty"])
def test_what_helps_no_next_run_does_not_stay(
    after: int, error: BaseException, there: bool, content: Content, tmp_path: Path
) -> None:
    """The layout, and the folders that were made for it."""
    folder = tmp_path / "new" / "layout"
    if there:
        folder.mkdir(parents=True)
    with pytest.raises(type(error)):
        put(folder, cut(content, folder, after, error))
    assert list(tmp_path.glob("new/**/*")) == ([folder] if there else [])
    assert (tmp_path / "new").exists() is there
    assert put(folder, content) == content.size


def test_what_was_there_before_stays(content: Content, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    before = put(folder, content_of(random_image(tmp_path / "layers", seed=8)))
    assert before
    known = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UnavailableError):
        put(folder, cut(content, folder, 2, full()))
    assert {path: path.read_bytes() for path in known} == known


def test_a_layout_that_another_one_fills_stays(content: Content, tmp_path: Path) -> None:
    folder = tmp_path / "layout"

    others: list[int] = []

    def opening(_: Descriptor) -> Iterator[bytes]:
        others.append(os.open(folder / "blobs", os.O_RDONLY))
        fcntl.flock(others[-1], fcntl.LOCK_SH)
        raise full()

    with pytest.raises(UnavailableError):
        put(folder, replace(content, open=opening))
    for other in others:
        os.close(other)
    assert (folder / "oci-layout").exists()


def test_who_waited_for_a_layout_that_was_taken_away_begins_it_anew(content: Content, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    wrote: list[int] = []
    waiter = threading.Thread(target=lambda: wrote.append(put(folder, content)))

    def failing() -> None:
        with layout.locked(folder):
            waiter.start()
            until(lambda: opened(folder / layout.MARKER) == 2)
            raise gone()

    with pytest.raises(UnavailableError):
        failing()
    waiter.join(60)
    assert wrote == [content.size]


def opened(path: Path) -> int:
    """How many descriptors of this process are of `path`."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += descriptor.readlink() == path
    return count
