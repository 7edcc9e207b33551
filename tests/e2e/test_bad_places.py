"""Destinations that cannot take an image: another thing, read-only, full, a registry that refuses. Nothing half-written."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import answers, examples
from tests.support.cli import wherry
from tests.support.refusals import Refusal, builds_well, leftovers, only
from tests.support.servers import need_root
from tests.support.tools import need

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repository `hello` and its home, built once."""
    need("go", "git")
    folder = tmp_path_factory.mktemp("places")
    builds_well(examples.repository("hello", folder), folder / "home")
    return folder


def refused(hello: Path, place: str, name: str, code: int, **environment: str) -> Refusal:
    """The error of a build to `place`; the caches are sound, as the next build shows."""
    done = wherry("build", "-o", place, home=hello / "home", cwd=hello / "hello", **environment)
    refusal = only(done, name, code)
    assert leftovers(hello / "home") == []
    builds_well(hello / "hello", hello / "home")
    return refusal


def contents(folder: Path) -> dict[str, str]:
    """Every file below `folder` and what it holds."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("scheme", ["oci", "oci-archive", "docker-archive"])
def test_a_folder_of_other_things_is_refused_and_stays(scheme: str, hello: Path, tmp_path: Path) -> None:
    target = tmp_path / "photos"
    target.mkdir()
    (target / "cat.jpg").write_text("meow")
    before = contents(tmp_path)
    name = "not-a-layout" if scheme == "oci" else "not-an-archive"
    assert refused(hello, f"{scheme}:{target}", name, 2).rows("where") == [str(target)]
    assert contents(tmp_path) == before


def test_a_file_is_no_layout(hello: Path, tmp_path: Path) -> None:
    target = tmp_path / "notes.txt"
    target.write_text("notes")
    refused(hello, f"oci:{target}", "not-a-layout", 2)
    assert target.read_text() == "notes"


@pytest.mark.parametrize("scheme", ["oci-archive", "docker-archive"])
def test_a_file_that_is_no_archive_is_not_replaced(scheme: str, hello: Path, tmp_path: Path) -> None:
    target = tmp_path / "thesis.odt"
    target.write_text("years of work")
    refused(hello, f"{scheme}:{target}", "not-an-archive", 2)
    assert target.read_text() == "years of work"


def test_a_layout_of_another_version_is_left_alone(hello: Path, tmp_path: Path) -> None:
    target = tmp_path / "layout"
    target.mkdir()
    (target / "oci-layout").write_text('{"imageLayoutVersion":"9.0.0"}')
    before = contents(target)
    refused(hello, f"oci:{target}", "not-a-layout", 2)
    assert contents(target) == before


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """`folder` as a small file system of its own, or read-only."""
    need_root()
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("scheme", ["oci", "oci-archive", "docker-archive"])
def test_a_read_only_place(scheme: str, hello: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "ro", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs") as folder:
        refusal = refused(hello, f"{scheme}:{folder}/image", "disk", 4)
        assert "read-only" in refusal.text.lower()
        assert refusal.rows("where")[0].startswith(f"{folder}/image")
        assert ".tmp" not in refusal.text
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("scheme", ["oci", "oci-archive", "docker-archive"])
def test_a_full_place_keeps_what_it_had(scheme: str, hello: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "full", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as folder:
        refusal = refused(hello, f"{scheme}:{folder}/image", "disk", 4)
        assert "space" in refusal.text
        kept = [path for path in folder.rglob("*") if path.is_file() and path.name != "oci-layout"]
        sound = [path for path in kept if path.name == hashlib.sha256(path.read_bytes()).hexdigest()]
        assert sorted(kept) == sorted(sound), "something half-written is left"


def test_a_full_cache_folder(hello: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "cache", "-t", "tmpfs", "-o", "size=2m", "tmpfs") as folder:
        refusal = refused(hello, f"oci:{tmp_path}/out", "disk", 4, WHERRY_CACHE_DIR=f"{folder}/wherry")
        assert "WHERRY_CACHE_DIR" in refusal.text
        assert ".tmp" not in refusal.text
        assert not (tmp_path / "out/index.json").exists()


def test_without_the_right_to_write(hello: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    assert "permission" in refused(hello, f"oci:{folder}/image", "disk", 4).text.lower()


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        ("401 Unauthorized", "registry-denied", 4),
        ("403 Forbidden", "registry-denied", 4),
        ("404 Not Found", "registry-not-found", 4),
    ],
)
def test_a_registry_that_says_no(status: str, name: str, code: int, hello: Path) -> None:
    with answers.serving(answers.say(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())) as server:
        host = f"127.0.0.1:{server.port}"
        assert host in refused(hello, f"docker://{host}/team/app:1", name, code).text


def test_something_that_is_no_registry(hello: Path) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
    with answers.serving(answers.say(page)) as server:
        done = wherry(
            *("build", "-o", f"docker://127.0.0.1:{server.port}/app:1"), home=hello / "home", cwd=hello / "hello"
        )
    assert done.code in (4, 5), done.stderr
    only(done, done.stderr.split("[")[1].split("]")[0], done.code)


def test_one_place_of_two_fails_and_the_other_is_whole(hello: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = wherry(
        *("build", "-o", f"oci:{tmp_path}/good", "-o", f"oci:{tmp_path}/file"), home=hello / "home", cwd=hello / "hello"
    )
    only(done, "not-a-layout", 2)
    if (tmp_path / "good").exists():
        inspected = wherry("inspect", f"oci:{tmp_path}/good", home=hello / "home", cwd=tmp_path)
        assert inspected.code == 0, inspected.stderr
