"""Rows B01, B04, B09, B10, B12, B13, B14: hostile archives and streams. Whoever reads them says so, and never half of them."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib

import pytest
import zstandard

from tests.support.packing import END, compressed, header, listing, member, pax, record
from wherry.errors import CorruptError
from wherry.kit.compress import Method
from wherry.kit.decompress import Bounds, opened
from wherry.oci import untar


def refused(data: bytes) -> str:
    with pytest.raises(CorruptError) as caught:
        listing(data)
    assert caught.value.name == "bad-tar"
    return str(caught.value)


@pytest.mark.parametrize("name", [b"../x", b"/x", b"a/../../x", b"./..", b"", b"//x", b"a/..", b"..", b"/"])
def test_b01_names_that_climb_or_are_absolute(name: bytes) -> None:
    refused(member(name) + END)
    refused(member(name, kind=b"5") + END)
    refused(member(b"x", kind=b"1", target=name) + END)
    if name:
        refused(pax(path=name) + member(b"x") + END)
        refused(member(b"L", name + b"\0", b"L") + member(b"x") + END)


def test_b01_nul_cannot_cut_a_name_short() -> None:
    refused(pax(path=b"safe\0/../../x") + member(b"x") + END)
    assert listing(member(b"safe\0/../../x") + END)[0][0].path == "safe"


@pytest.mark.parametrize(
    "name",
    [
        b".wh.",
        b".wh..",
        b".wh...",
        b".wh..wh.plnk",
        b"d/.wh.",
        b"a/.wh.b/c",
        b".wh..wh..opq/x",
        b".wh..wh..opqx",
        b".wh..wh.x",
    ],
)
def test_b04_whiteouts_that_mean_nothing_or_too_much(name: bytes) -> None:
    refused(member(name) + END)


@pytest.mark.parametrize("kind", [b"5", b"2", b"1"])
def test_b04_a_whiteout_is_an_empty_file(kind: bytes) -> None:
    refused(member(b".wh.x", kind=kind, target=b"y") + END)
    refused(member(b".wh.x", b"content") + END)


HIDDEN = member(b"hidden", b"evil")
DISAGREEING = {
    "PAX size beside another size": pax(size=b"0") + member(b"x", HIDDEN),
    "PAX size of nothing": pax(size=b"1024") + header(b"x", size=7) + HIDDEN,
    "PAX name beside GNU name": pax(path=b"a") + member(b"L", b"b\0", b"L") + member(b"c"),
    "GNU name twice": member(b"L", b"a\0", b"L") + member(b"L", b"b\0", b"L") + member(b"c"),
    "PAX name twice": member(b"p", record("path", b"a") + record("path", b"b"), b"x") + member(b"c"),
    "PAX deletes a name": pax(path=b"") + member(b"c"),
    "global name": member(b"g", record("path", b"a"), b"g") + member(b"c"),
    "GNU sparse": member(b"s", HIDDEN, b"S"),
    "PAX sparse": pax(GNU__sparse__realsize=b"9", GNU__sparse__major=b"1") + member(b"c", b"x"),
    "star sparse": pax(SCHILY__realsize=b"9") + member(b"c", b"x"),
    "unknown record": pax(WHATEVER=b"1") + member(b"c"),
    "directory with content": member(b"d", HIDDEN, b"5"),
    "link with content": member(b"l", HIDDEN, b"2", target=b"x"),
    "hard link with content": member(b"l", HIDDEN, b"1", target=b"x"),
    "device with content": member(b"n", HIDDEN, b"3"),
    "old directory by slash": member(b"d/", b"", b"\0"),
    "file with slash": member(b"d/", HIDDEN),
    "negative size": header(b"x", size=b"\xff" * 12) + HIDDEN,
    "size beyond 63 bits": header(b"x", size=b"\x80" + b"\xff" * 11) + HIDDEN,
    "size in letters": header(b"x", size=b"0000000002x\0") + HIDDEN,
    "size with a sign": header(b"x", size=b"-0000000020\0") + HIDDEN,
    "digits after a gap": header(b"x", size=b"0000 000020\0") + HIDDEN,
    "no magic": member(b"x", magic=bytes(8)),
    "star": member(b"x", end=b"tar\0"),
    "GNU with POSIX prefix": member(b"x", magic=b"ustar  \0", prefix=b"elsewhere"),
    "unknown kind": member(b"x", b"", b"7"),
    "volume label": member(b"x", b"", b"V"),
    "root as a link": member(b"./", b"", b"2", target=b"/tmp"),
    "link to nothing": member(b"x", b"", b"2"),
    "extended header of nobody": pax(path=b"a"),
    "record too long": member(b"p", b"99 path=a\n", b"x") + member(b"c"),
    "record too short": member(b"p", b"5 path=a\n", b"x") + member(b"c"),
    "record without a number": member(b"p", b"path=a\n", b"x") + member(b"c"),
    "record with a zero first": member(b"p", b"010 path=a\n", b"x") + member(b"c"),
    "record without equals": member(b"p", b"7 path\n", b"x") + member(b"c"),
}


@pytest.mark.parametrize("data", DISAGREEING.values(), ids=DISAGREEING.keys())
def test_b09_what_dialects_read_differently(data: bytes) -> None:
    refused(data + END)


def test_b10_every_flipped_bit_of_a_header_is_seen() -> None:
    whole = bytearray(member(b"a", b"1" * 600) + member(b"b", b"2") + END)
    second = 512 + 1024
    harmless = (second + 148, second + 154, second + 155)  # around the checksum a zero, a space and a NUL mean the same
    for position in range(second, second + 512):
        for bit in range(8):
            whole[position] ^= 1 << bit
            if position not in harmless or whole[position] not in b"\0 ":
                refused(bytes(whole))
            whole[position] ^= 1 << bit


def test_b10_every_cut_is_seen() -> None:
    whole = member(b"a", b"1" * 600) + member(b"b") + END
    for end in range(0, len(whole), 256):
        assert "too early" in refused(whole[:end])


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(bytes(512) + member(b"b") + END, id="one empty block"),
        pytest.param(END + member(b"b") + END, id="second archive"),
        pytest.param(END + bytes(9216) + b"x", id="a byte after the padding"),
    ],
)
def test_b10_nothing_hides_behind_the_end(tail: bytes) -> None:
    refused(member(b"a") + tail)


def read_all(data: bytes, method: Method, bounds: Bounds | None = None) -> int:
    source, size = opened(io.BytesIO(data), method, name="blob", bounds=bounds), 0
    while chunk := source.read(1 << 20):
        size += len(chunk)
    return size


def stream_error(data: bytes, method: Method, bounds: Bounds | None = None) -> str:
    with pytest.raises(CorruptError) as caught:
        read_all(data, method, bounds)
    return caught.value.name


def test_b12_bombs_stop_early_and_in_little_memory() -> None:
    mebibytes = zlib.compress(bytes(64 << 20), 9, wbits=31)
    frame = zstandard.ZstdCompressor().compress(bytes(64 << 20))
    tracemalloc.start()
    assert stream_error(mebibytes * 8, "gzip") == "bomb"
    assert stream_error(frame * 8, "zstd") == "bomb"
    assert stream_error(bytes(1 << 20), "none", Bounds(size=1 << 19)) == "bomb"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_b12_honest_zeros_pass() -> None:
    assert read_all(zlib.compress(bytes(100 << 20), 9, wbits=31), "gzip") == 100 << 20


def test_b12_a_zstd_window_of_more_than_128_mebibytes() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28)
    packing = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert stream_error(packing.compress(b"x" * 5000) + packing.flush(), "zstd") == "bomb"


def test_b13_headers_are_bounded_before_they_are_read() -> None:
    claimed = header(b"p", b"x", 2 << 30)
    tracemalloc.start()
    refused(claimed + END)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20
    refused(member(b"L", b"n" * (600 << 10), b"L") + member(b"K", b"n" * (600 << 10), b"K") + member(b"x") + END)


def test_b13_entries_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untar, "ENTRIES", 3)
    assert len(listing(member(b"x") * 3 + END)) == 3
    assert "3 entries" in refused(member(b"x") * 4 + END)


METHODS: tuple[Method, ...] = ("gzip", "zstd")
DATA = bytes(range(256)) * 9000


@pytest.mark.parametrize("method", METHODS)
def test_b14_all_members_are_read(method: Method) -> None:
    assert read_all(compressed(DATA, method), method) == len(DATA)
    assert read_all(compressed(DATA, method) + compressed(b"more", method), method) == len(DATA) + 4


@pytest.mark.parametrize("method", METHODS)
def test_b14_junk_padding_and_cuts(method: Method) -> None:
    blob = compressed(DATA, method)
    for tail in (b"junk", bytes(512), b"\x1f\x8b", b"\x28\xb5", blob[:20], b"\n"):
        assert stream_error(blob + tail, method) == "damaged-stream"
    for cut in (1, 2, 4, 7, 8, 9, 100, len(blob) // 2, len(blob) - 1, len(blob)):
        assert stream_error(blob[:-cut], method) == "damaged-stream"


@pytest.mark.parametrize("method", METHODS)
def test_b14_checksums_are_compared(method: Method) -> None:
    blob = bytearray(compressed(b"content", method))
    blob[-6 if method == "gzip" else -2] ^= 1
    assert stream_error(bytes(blob), method) == "damaged-stream"


def test_b14_a_member_of_pythons_own_gzip_with_name_and_time() -> None:
    out = io.BytesIO()
    with gzip.GzipFile("some-name", "wb", fileobj=out, mtime=1_700_000_000) as packing:
        packing.write(DATA)
    assert read_all(out.getvalue() + compressed(DATA), "gzip") == 2 * len(DATA)


def test_b14_skippable_zstd_frames_are_no_content() -> None:
    skippable = (0x184D2A50).to_bytes(4, "little") + (5).to_bytes(4, "little") + b"TABLE"
    blob = compressed(DATA, "zstd")
    assert read_all(skippable + blob + skippable, "zstd") == len(DATA)
    assert stream_error(blob + skippable[:-1], "zstd") == "damaged-stream"
