"""What a container said, kept in bounds: lines, pieces, rotation, a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.runtime.logs import Keep, Line, Tail, Writer, files, joined, last_lines, parsed, stamp


def lines(folder: Path) -> list[Line]:
    tail = Tail(folder)
    found = list(tail.more())
    tail.close()
    return found


def texts(folder: Path, stream: str = "stdout") -> list[bytes]:
    return [one.text for one in joined(lines(folder)) if one.stream == stream]


def test_lines_have_a_time_and_a_stream(tmp_path: Path) -> None:
    writer = Writer(tmp_path, Keep())
    writer.write("stdout", b"one\ntwo\n")
    writer.write("stderr", b"three\n")
    writer.close()
    assert [(one.stream, one.whole, one.text) for one in lines(tmp_path)] == [
        ("stdout", True, b"one"), ("stdout", True, b"two"), ("stderr", True, b"three"),
    ]  # fmt: skip
    assert all(one.time == one.time and len(one.time) == 30 and one.time.endswith("Z") for one in lines(tmp_path))
    assert stamp(1_700_000_000_000_000_001) == "2023-11-14T22:13:20.000000001Z"


@given(st.lists(st.binary(max_size=40).map(lambda one: one.replace(b"\r", b"")), max_size=12))
def test_whatever_the_pieces_the_words_are_the_same(pieces: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder), Keep())
        for piece in pieces:
            writer.write("stdout", piece)
        writer.close()
        whole = b"".join(pieces)
        wanted = whole.split(b"\n")
        wanted = wanted[:-1] if not wanted[-1] else wanted
        assert texts(Path(folder)) == wanted


def test_a_line_without_end_is_written_in_pieces(tmp_path: Path) -> None:
    writer = Writer(tmp_path, Keep(size=1 << 20, files=2))
    for _ in range(200):
        writer.write("stdout", b"x" * (1 << 16))
    writer.write("stdout", b"\n")
    writer.close()
    found = lines(tmp_path)
    assert all(not one.whole for one in found[:-1])
    assert sum(path.stat().st_size for path in files(tmp_path)) < 3 << 20


def test_files_are_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    writer = Writer(tmp_path, Keep(size=4096, files=3))
    for number in range(1000):
        writer.write("stdout", b"line %d\n" % number)
    writer.close()
    assert [path.name for path in files(tmp_path)] == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 4096 for path in files(tmp_path))
    kept = texts(tmp_path)
    assert kept == [b"line %d" % number for number in range(1000 - len(kept), 1000)]


def test_a_reader_goes_on_through_rotations(tmp_path: Path) -> None:
    writer, tail = Writer(tmp_path, Keep(size=2048, files=4)), Tail(tmp_path)
    found: list[bytes] = []
    for number in range(300):
        writer.write("stdout", b"line %d\n" % number)
        if number % 7 == 0:
            found += [one.text for one in tail.more()]
    found += [one.text for one in tail.more()]
    tail.close()
    assert found == [b"line %d" % number for number in range(300)]


def test_a_full_disk_loses_words_and_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, real, full = Writer(tmp_path, Keep()), os.write, [False]

    def write(descriptor: int, data: bytes) -> int:
        if full[0]:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(descriptor, data)

    monkeypatch.setattr("wherry.runtime.logs.os.write", write)
    writer.write("stdout", b"before\n")
    full[0] = True
    writer.write("stdout", b"lost\n")
    full[0] = False
    writer.write("stdout", b"after\n")
    writer.close()
    assert texts(tmp_path) == [b"before", b"after"]
    assert b"bytes are lost" in texts(tmp_path, "wherry")[0]


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, real, left = Writer(tmp_path, Keep()), os.write, [1 << 30]

    def write(descriptor: int, data: bytes) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "no space left on device")
        count = real(descriptor, data[: left[0]])
        left[0] -= count
        return count

    monkeypatch.setattr("wherry.runtime.logs.os.write", write)
    writer.write("stdout", b"before\n")
    left[0] = 10
    writer.write("stdout", b"never whole\n")
    left[0] = 1 << 30
    writer.write("stdout", b"after\n")
    writer.close()
    assert texts(tmp_path) == [b"before", b"after"]


def test_the_last_lines_join_their_pieces(tmp_path: Path) -> None:
    writer = Writer(tmp_path, Keep())
    writer.write("stdout", b"a\n" + b"x" * 20_000)
    writer.write("stdout", b"y\nlast\n")
    writer.close()
    assert [len(one.text) for one in last_lines(tmp_path, 2)] == [20_001, 4]
    assert last_lines(tmp_path, 0) == ()
    assert last_lines(tmp_path / "nowhere", 5) == ()


@pytest.mark.parametrize("line", [b"", b"x", b"a b c d", b"a b F", b"\xff stdout Q x"])
def test_what_is_no_line_of_a_log(line: bytes) -> None:
    assert parsed(line) is None
