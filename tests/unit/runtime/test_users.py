"""F07 ★: who an image's user is, whatever its passwd and group say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wherry.errors import UsageError
from wherry.model.container import User
from wherry.runtime.users import resolve

PASSWD = """root:x:0:0:root:/root:/bin/sh
app:x:1000:1000::/:
12345:x:0:0:tricky:/:
big:x:4294967296:0::/:
minus:x:-1:-1::/:
short:x
odd:x:abc:0::/:
"""
GROUP = "root:x:0:\nstaff:x:50:app,other\nwheel:x:10:app\nhuge:x:99999999999:app\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(PASSWD)
    (tmp_path / "etc/group").write_text(GROUP)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", User(uid=0, gid=0)),
        ("root", User(uid=0, gid=0)),
        ("0", User(uid=0, gid=0)),
        ("00", User(uid=0, gid=0)),
        ("65532", User(uid=65532, gid=65532)),
        ("65532:7", User(uid=65532, gid=7)),
        ("app", User(uid=1000, gid=1000, groups=(10, 50))),
        ("app:staff", User(uid=1000, gid=50)),
        ("1000", User(uid=1000, gid=1000)),
        ("12345", User(uid=12345, gid=12345)),  # a number is a number, even where a user is called so (CVE-2016-3697)
        (str(2**31 - 1), User(uid=2**31 - 1, gid=2**31 - 1)),
    ],
)
def test_f07_who_it_is(root: Path, text: str, wanted: User) -> None:
    assert resolve(root, text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "nobody-knows",
        "4294967296",
        "2147483648",
        "-1",
        "+0",
        " 0",
        "0x0",
        "1e3",
        "app:nope",
        "big",
        "minus",
        "odd",
        "65532:-1",
    ],
)
def test_f07_what_is_nobody(root: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(root, text)
    assert caught.value.name == "bad-user"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing", "etc-link"])
def test_f07_a_passwd_that_is_no_file_is_not_read(root: Path, kind: str) -> None:
    outside = root.parent / f"{root.name}-outside"
    outside.mkdir()
    (outside / "passwd").write_text("app:x:0:0::/:\n")
    passwd = root / "etc/passwd"
    passwd.unlink()
    if kind == "link":
        passwd.symlink_to(outside / "passwd")
    elif kind == "pipe":
        os.mkfifo(passwd)
    elif kind == "folder":
        passwd.mkdir()
    elif kind == "etc-link":
        (root / "etc/group").unlink()
        (root / "etc").rmdir()
        (root / "etc").symlink_to(outside)
    with pytest.raises(UsageError):
        resolve(root, "app")
    assert resolve(root, "65532") == User(uid=65532, gid=65532)


def test_f07_a_giant_group_file_is_read_in_part(root: Path) -> None:
    with (root / "etc/group").open("wb") as file:
        file.truncate(1 << 30)
    assert resolve(root, "app") == User(uid=1000, gid=1000)
