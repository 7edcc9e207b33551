"""Where an image's user is at home."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.runtime.users import home

PASSWD = """\
root:x:0:0:root:/root:/sbin/nologin
short:x:7
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
again:x:65532:65532::/other:/sbin/nologin
relative:x:8:8::home:/sbin/nologin
"""


@pytest.mark.parametrize(("uid", "wanted"), [(0, "/root"), (65532, "/home/nonroot"), (7, "/"), (8, "/"), (1234, "/")])
def test_home(uid: int, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(PASSWD)
    assert home(tmp_path, uid) == wanted


def test_without_a_file_of_users(tmp_path: Path) -> None:
    assert home(tmp_path, 65532) == "/"
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").symlink_to("/etc/passwd")
    assert home(tmp_path, 0) == "/", "a link may lead out of the image"
