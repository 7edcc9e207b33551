"""The writer: headers byte by byte where a format says so, order, PAX only where needed, and what must not be written."""

from __future__ import annotations

import io
import subprocess
import tarfile  # noqa: TID251 - a second opinion on what we write
from pathlib import Path

import pytest

from tests.support.packing import archive, directory, file, listing
from tests.support.tools import need
from wherry.errors import BuildError
from wherry.kit import snapshot
from wherry.oci.tar import Entry, layout


def test_one_file_is_one_ustar_header_its_bytes_and_two_empty_blocks() -> None:
    data = archive((Entry(path="hello", mode=0o555, content=b"hi\n"),))
    assert len(data) == 4 * 512
    assert data[:100].rstrip(b"\0") == b"hello"
    assert data[100:148].split(b"\0") == [b"0000555", b"0000000", b"0000000", b"00000000003", b"00000000000", b""]
    assert data[156:265] == b"0" + bytes(100) + b"ustar\x0000"
    assert data[265:329] == bytes(64), "no names of users and groups"
    assert data[512:515] == b"hi\n"
    assert data[515:] == bytes(4 * 512 - 515)


def test_order_is_by_name_with_parents_first() -> None:
    entries = (Entry(path="a/b"), Entry(path="a.txt"), directory("a"), Entry(path="B"))
    assert [one.path for one, _ in listing(archive(entries))] == ["B", "a", "a.txt", "a/b"]


@pytest.mark.parametrize(
    ("path", "blocks"),
    [
        pytest.param("n" * 100, 1, id="100 bytes fit"),
        pytest.param("p" * 155 + "/" + "n" * 100, 1, id="prefix and name fit"),
        pytest.param("n" * 101, 3, id="101 bytes without a slash need PAX"),
        pytest.param("naïve", 3, id="not ASCII"),
        pytest.param("p" * 156 + "/n", 3, id="prefix too long"),
    ],
)
def test_pax_only_where_ustar_cannot(path: str, blocks: int) -> None:
    parents = [directory(path.rpartition("/")[0])] if "/" in path else []
    whole = archive((*parents, Entry(path=path)))
    assert len(whole) - 1024 - (len(archive(parents)) - 1024 if parents else 0) == blocks * 512
    assert [one.path for one, _ in listing(whole)][-1] == path
    with tarfile.open(fileobj=io.BytesIO(whole)) as opened:
        assert opened.getnames()[-1] == path


@pytest.mark.parametrize("number", [0o7777777, 0o7777777 + 1, 2**40])
def test_large_owners_and_sizes(number: int) -> None:
    data = archive((Entry(path="x", uid=number, gid=number),))
    one, _ = listing(data)[0]
    assert (one.uid, one.gid) == (number, number)


def test_a_file_of_nine_gigabytes_is_described_and_never_held(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as big:
        big.truncate(9 << 30)
    plan = layout((Entry(path="big", content=snapshot.look(str(tmp_path / "big"))),))
    head = bytearray(1536)
    plan.read(0, memoryview(head))
    assert b"size=9663676416\n" in head
    assert head[1024 + 124 : 1024 + 135] == b"0" * 11
    assert plan.size == 1536 + (9 << 30) + 1024


def test_parts_read_anywhere_are_the_parts_of_the_whole(tmp_path: Path) -> None:
    source = file(tmp_path / "source", bytes(range(256)) * 9)
    plan = layout(
        (directory("d"), Entry(path="d/x", content=snapshot.look(str(source))), Entry(path="e", content=b"e"))
    )
    whole = bytearray(plan.size)
    plan.read(0, memoryview(whole))
    for start in range(0, plan.size, 100):
        part = bytearray(min(777, plan.size - start))
        plan.read(start, memoryview(part))
        assert part == whole[start : start + len(part)]


@pytest.mark.parametrize(
    "path", ["", "/x", "x/", "../x", "a/../x", "a//b", ".", ".wh.x", "d/.wh.x/y", "nul\0", "\udcff"]
)
def test_names_that_no_image_may_hold(path: str) -> None:
    with pytest.raises(BuildError) as caught:
        layout((directory("d"), directory("a"), Entry(path=path)))
    assert caught.value.name == "bad-path"


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(BuildError) as caught:
        layout((Entry(path="x"), directory("x")))
    assert (caught.value.name, caught.value.where) == ("duplicate-path", ("/x",))


@pytest.mark.parametrize("parents", [(), (Entry(path="d"),), (Entry(path="d", kind="link", target="e"),)])
def test_a_parent_is_a_directory_of_the_same_layer(parents: tuple[Entry, ...]) -> None:
    with pytest.raises(BuildError) as caught:
        layout((*parents, Entry(path="d/x")))
    assert caught.value.name == "bad-path"


def test_gnu_tar_lists_the_same(tmp_path: Path) -> None:
    need("tar")
    entries = (
        directory("d", 0o1777),
        Entry(path="d/" + "long" * 60, content=b"12345", uid=65532, gid=65532, mode=0o640),
        Entry(path="ünï", kind="link", target="d/" + "t" * 120, mode=0o777),
    )
    path = file(tmp_path / "x.tar", archive(entries))
    done = subprocess.run(
        ["tar", "--numeric-owner", "--quoting-style=literal", "--full-time", "--utc", "-tvf", path],
        capture_output=True, text=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    rows = [line.split(maxsplit=5) for line in done.stdout.splitlines()]
    assert [(row[0], row[1], row[2], row[3], row[5]) for row in rows] == [
        ("drwxrwxrwt", "0/0", "0", "1970-01-01", "d/"),
        ("-rw-r-----", "65532/65532", "5", "1970-01-01", "d/" + "long" * 60),
        ("lrwxrwxrwx", "0/0", "0", "1970-01-01", "ünï -> d/" + "t" * 120),
    ]
    assert done.stderr == ""
