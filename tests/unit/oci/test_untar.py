"""The strict reader on archives by others, and on every kind of entry."""

from __future__ import annotations

import io
import subprocess
import tarfile  # noqa: TID251 - archives by someone else
from pathlib import Path

import pytest

from tests.support.packing import END, file, listing, member, pax
from tests.support.tools import need
from wherry.errors import CorruptError
from wherry.oci.untar import Member, members


def names(data: bytes) -> list[str]:
    return [one.path for one, _ in listing(data)]


def test_names_are_made_plain() -> None:
    data = member(b"./", kind=b"5") + member(b"./a//b/./c/", kind=b"5") + member(b"a\\x2db", b"hi") + END
    assert [(one.path, one.kind, content) for one, content in listing(data)] == [
        ("", "directory", b""),
        ("a/b/c", "directory", b""),
        ("a\\x2db", "file", b"hi"),
    ]


def test_every_kind() -> None:
    kinds = (
        member(b"f", b"1")
        + member(b"g", b"", b"\0")
        + member(b"h", b"", b"1", target=b"./f")
        + member(b"l", b"", b"2", target=b"/etc/../x")
        + member(b"c", b"", b"3")
        + member(b"b", b"", b"4")
        + member(b"p", b"", b"6")
        + member(b"d/.wh.gone")
        + member(b"d/.wh..wh..opq")
        + member(b".wh..wh..opq")
    )
    assert [(one.path, one.kind, one.target) for one, _ in listing(kinds + END)] == [
        ("f", "file", ""),
        ("g", "file", ""),
        ("h", "hardlink", "f"),
        ("l", "link", "/etc/../x"),
        ("c", "device", ""),
        ("b", "device", ""),
        ("p", "device", ""),
        ("d/gone", "whiteout", ""),
        ("d", "opaque", ""),
        ("", "opaque", ""),
    ]


def test_prefix_pax_and_gnu_names() -> None:
    assert names(member(b"b", prefix=b"long/a") + END) == ["long/a/b"]
    assert names(
        pax(path=b"real", uid=b"70000", mtime=b"1.5", SCHILY__xattr__user__x=b"\0bin") + member(b"short") + END
    ) == ["real"]
    long = b"n" * 300
    data = member(b"././@LongLink", long + b"\0", b"L", magic=b"ustar  \0") + member(b"nnn", magic=b"ustar  \0") + END
    assert names(data) == [long.decode()]


def test_owners_by_base_256_and_by_pax() -> None:
    data = member(b"x", uid=b"\x80" + (70000).to_bytes(7, "big"), gid=b"  1234 \0") + END
    (one, _), = listing(data)  # fmt: skip
    assert (one.uid, one.gid) == (70000, 0o1234)
    (one, _), = listing(pax(gid=b"4294967294") + member(b"x") + END)  # fmt: skip
    assert one.gid == 4294967294


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_reads_what_python_writes(form: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as opened:
        for name in ("a", "d/" + "n" * 60, "p" * 90 + "/" + "q" * 90):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = 700, 1_700_000_000, "root"
            opened.addfile(info, io.BytesIO(b"z" * 700))
    found = listing(out.getvalue())
    assert [one.path for one, _ in found] == ["a", "d/" + "n" * 60, "p" * 90 + "/" + "q" * 90]
    assert all(content == b"z" * 700 for _, content in found)


@pytest.mark.parametrize("form", ["gnu", "pax", "ustar"])
def test_reads_what_gnu_tar_writes(tmp_path: Path, form: str) -> None:
    need("tar")
    file(tmp_path / "in/sub" / ("n" * 90), b"content")
    file(tmp_path / "in/second")
    (tmp_path / "in/link").symlink_to("sub")
    (tmp_path / "in/hard").hardlink_to(tmp_path / "in/second")
    data = subprocess.run(
        ["tar", f"--format={form}", "-C", tmp_path / "in", "-cf", "-", "."], capture_output=True, check=True
    ).stdout
    found = {one.path: one for one, _ in listing(data)}
    assert set(found) == {"", "sub", "sub/" + "n" * 90, "second", "link", "hard"}
    assert found["link"].target == "sub"
    assert {found["hard"].kind, found["second"].kind} == {"file", "hardlink"}


def test_content_may_be_left_unread() -> None:
    data = member(b"a", b"x" * 3000) + member(b"b", b"y") + END
    seen = [(one.path, content.read(2)) for one, content in members(io.BytesIO(data), name="t")]
    assert seen == [("a", b"xx"), ("b", b"y")]


def test_an_empty_archive_and_padding() -> None:
    assert listing(END) == []
    assert names(member(b"x") + END + bytes(10240)) == ["x"]


def test_the_error_says_which_archive_and_where() -> None:
    with pytest.raises(CorruptError) as caught:
        list(members(io.BytesIO(member(b"x") + b"\1" * 512), name="layer 7"))
    assert caught.value.where == ("layer 7, byte 1024",)


def test_modes_keep_their_twelve_bits() -> None:
    (one, _), = listing(member(b"x", mode=b"0104755\0") + END)  # fmt: skip
    assert one == Member(path="x", kind="file", mode=0o4755)


def test_a_program_with_capabilities_is_told() -> None:
    for attribute in ("SCHILY__xattr__security__capability", "LIBARCHIVE__xattr__security__capability"):
        data = pax(**{attribute: b"\x01\x00\x00\x02"}) + member(b"a", b"1") + member(b"b", b"2") + END
        assert [(one.path, one.capabilities) for one, _ in listing(data)] == [("a", True), ("b", False)]
