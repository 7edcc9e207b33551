"""Rows E of the catalogue for the caches: killed, damaged, planted, full of links, on full disks."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from tests.support.caches import cache
from tests.support.tools import need
from tests.support.unchanged import Example, tick
from wherry.cache.blobs import Blobs, temporary
from wherry.cache.folders import Folders, locate, prepare
from wherry.cache.leases import lease, oldest
from wherry.cache.prune import Order, prune
from wherry.cache.records import Records, key
from wherry.errors import UnavailableError, WherryError
from wherry.oci.digest import of_bytes
from wherry.system.clock import now

CALLS = {
    *("open", "write", "flush", "close", "fsync", "rename", "replace", "link", "unlink", "rmdir", "mkdir", "utime"),
    *("chmod", "fchmod", "flock"),
}
OLD, NEW = b"old bytes" * 1000, b"new bytes" * 1000


def forked(story: Callable[[], None], point: int) -> int:
    """Runs `story` in a process of its own that kills itself before call number `point` of those that change files; 0, or
    -SIGKILL."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def call(_: FrameType, event: str, function: object) -> None:
        nonlocal count
        if event == "c_call" and getattr(function, "__name__", "") in CALLS:
            count += 1
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        sys.setprofile(call)
        story()
        code = 0
    finally:
        os._exit(code)


def killed_everywhere(story: Callable[[], None], check: Callable[[], None]) -> None:
    point = 0
    while forked(story, point := point + 1) == -signal.SIGKILL:
        check()
    check()
    assert forked(story, 0) == 0
    assert point > 15


def test_e02_a_first_use_killed_at_every_point(tmp_path: Path) -> None:
    def story() -> None:
        prepare(Folders(str(tmp_path / "c")))

    def check() -> None:
        folders = prepare(Folders(str(tmp_path / "c")))
        Records(folders).put("k", b"v")
        assert prune(folders, Order(everything=True), now).count == 1
        shutil.rmtree(tmp_path / "c")

    killed_everywhere(story, check)


def test_e02_blobs_and_records_killed_at_every_point(tmp_path: Path) -> None:
    folders = cache(tmp_path)

    def story() -> None:
        records = Records(folders)
        blobs = Blobs(folders, records)
        with lease(folders):
            records.put("k", b'"%s"' % blobs.add(NEW).encode())
            made = temporary(folders)
            made.write_bytes(OLD)
            blobs.take(made, of_bytes(OLD))
            blobs.get(of_bytes(NEW), len(NEW))
            records.get("k")

    def check() -> None:
        records = Records(folders)
        blobs = Blobs(folders, records)
        assert records.get("k") in (None, b'"%s"' % of_bytes(NEW).encode())
        for data in (OLD, NEW):
            path = blobs.get(of_bytes(data), len(data))
            assert path is None or path.read_bytes() == data
        assert blobs.findings == records.findings == [], "what is half made never has a name"
        assert oldest(folders) is None
        prune(folders, Order(everything=True), now)
        assert [path for path in Path(folders.path).rglob("*") if path.is_file()] == [
            *Path(folders.path).glob("CACHEDIR.TAG"),
            *Path(folders.locks).glob("gate"),
        ]

    killed_everywhere(story, check)


def test_e02_prune_killed_at_every_point(tmp_path: Path) -> None:
    folders = cache(tmp_path)

    def fill() -> None:
        records = Records(folders)
        for number in range(3):
            Blobs(folders, records).add(b"%d" % number * 100)
            records.put(str(number), b"")
            kept = Path(folders.binaries, f"{number}" * 32)
            kept.mkdir(exist_ok=True)
            (kept / "app").write_bytes(b"x")

    def check() -> None:
        for number in range(3):
            data = b"%d" % number * 100
            path = Blobs(folders, Records(folders)).get(of_bytes(data), len(data))
            assert path is None or path.read_bytes() == data
        fill()

    def story() -> None:
        prune(folders, Order(everything=True), now)

    fill()
    killed_everywhere(story, check)


def test_e02_the_no_op_index_killed_at_every_point(tmp_path: Path) -> None:
    need("git")
    example = Example(tmp_path)
    assert example.record(result="old") == ""
    tick()
    (example.repo / "main.go").touch()

    def story() -> None:
        example.check()  # writes the new stats
        example.record(result="new")

    answers = set()

    def check() -> None:
        answers.add(example.check())
        example.record(result="old")
        (example.repo / "main.go").touch()

    killed_everywhere(story, check)
    assert answers == {"old", "new"}


def test_e04_a_file_that_may_not_be_read_is_a_miss() -> None:
    """As another user than root, whom modes do not stop."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)

    def story() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        folders = cache(folder)
        records = Records(folders)
        blobs = Blobs(folders, records)
        records.put("k", b"v")
        digest = blobs.add(NEW)
        records.path("k").chmod(0)
        blobs.path(digest).chmod(0)
        missed = records.get("k") is None and blobs.get(digest, len(NEW)) is None
        records.put("k", b"v")
        blobs.add(NEW)
        os._exit(77 if missed and records.get("k") == b"v" and blobs.get(digest, len(NEW)) else 1)

    try:
        assert forked(story, 0) == 77
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("limit", [0, 1, 10, 100, 1000])
def test_e05_a_full_disk_loses_nothing(limit: int, tmp_path: Path) -> None:
    """The file size limit stands in for a full disk: writing stops in the middle with an error."""
    folders = cache(tmp_path)

    def story() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        records = Records(folders)
        records.put("k", b"v" * 2000)
        missed = records.get("k") is None
        try:
            Blobs(folders, records).add(NEW)
        except UnavailableError as error:
            os._exit(77 if missed and error.name == "disk" else 2)

    assert forked(story, 0) == 77
    assert Records(folders).get("k") is None
    assert Blobs(folders, Records(folders)).get(of_bytes(NEW), len(NEW)) is None
    assert [path for path in Path(folders.path).rglob("*") if path.suffix == ".tmp"] == []


def test_e06_every_input_is_in_the_key() -> None:
    """And two lists of inputs that look alike when joined are not the same."""
    base: tuple[str | int | tuple[object, ...] | None, ...] = ("go1.26", "linux/amd64", ("-trimpath",), 0o555, None)
    keys = {key("layer", *base), key("binary", *base)}
    for place in range(len(base)):
        keys.add(key("layer", *base[:place], "another", *base[place + 1 :]))
        keys.add(key("layer", *base[:place], *base[place + 1 :]))
    assert len(keys) == 2 + 2 * len(base)


def test_e09_links_and_strangers_in_the_cache_cost_nobody_anything(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "deep").mkdir(parents=True)
    (precious / "deep/file").write_text("precious")
    folders = cache(tmp_path)
    name = "0" * 64
    for folder in (f"{folders.blobs}/sha256", folders.records, folders.noop, folders.used, folders.damaged):
        Path(folder, name).symlink_to(precious)
        Path(folder, "link.tmp").symlink_to(precious)
    Path(folders.binaries, "1" * 32).symlink_to(precious)
    kept = Path(folders.binaries, "2" * 32)
    kept.mkdir()
    (kept / "app").symlink_to(precious / "deep/file")
    (kept / "more").symlink_to(precious)
    foreign = [Path(folders.path, "notes.txt"), Path(folders.records, "notes.txt"), Path(folders.scratch, "notes.txt")]
    for path in foreign:
        path.write_text("somebody's")
    prune(folders, Order(everything=True), now)
    prune(folders, Order(limit=0, before=now()), now)
    assert (precious / "deep/file").read_text() == "precious"
    assert all(path.exists() for path in foreign)
    assert not kept.exists()


def test_e09_a_folder_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / ("0" * 64)).write_text("looks like a record, and is not")
    Path(folders.records).rmdir()
    Path(folders.records).symlink_to(precious)
    prune(folders, Order(everything=True), now)
    assert len(list(precious.iterdir())) == 1


@pytest.mark.parametrize("place", ["home", "repo"])
def test_e09_a_cache_in_a_folder_of_the_users_touches_only_its_own(place: str, tmp_path: Path) -> None:
    """WHERRY_CACHE_DIR=$HOME, or the repository."""
    used = tmp_path / place
    for name in ("records", "blobs", "binaries", ".git"):
        (used / name).mkdir(parents=True)
        (used / name / ("0" * 64)).write_text("the user's")
    before = used.stat().st_mode
    folders = prepare(locate({"WHERRY_CACHE_DIR": str(used)}))
    Records(folders).put("k", b"v")
    prune(folders, Order(everything=True), now)
    assert sorted(path.name for path in used.rglob("0*")) == ["0" * 64] * 4
    assert used.stat().st_mode == before


def test_e09_another_file_system_in_the_cache_is_left(tmp_path: Path) -> None:
    need("mount", "umount")
    folders = cache(tmp_path)
    kept = Path(folders.binaries, "3" * 32)
    kept.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", kept], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount")
    try:
        (kept / "app").write_text("elsewhere")
        prune(folders, Order(everything=True), now)
        assert (kept / "app").exists()
    finally:
        subprocess.run(["umount", kept], check=True)


def test_e10_a_later_format_is_not_touched(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    later = Path(folders.root, "2", "records", "0" * 64)
    later.parent.mkdir(parents=True)
    later.write_text("of a later wherry")
    Records(folders).put("k", b"v")
    prune(folders, Order(everything=True), now)
    assert later.read_text() == "of a later wherry"


@pytest.mark.parametrize("name", ["..", "../../../x", "/etc/passwd", "a/../../b", "C:\\x", "\0"])
def test_e10_names_never_leave_the_cache(name: str, tmp_path: Path) -> None:
    folders = cache(tmp_path)
    before = {path for path in tmp_path.rglob("*") if folders.path not in str(path)}
    Records(folders).put(name, b"v")
    assert Records(folders).get(name) == b"v"
    assert {path for path in tmp_path.rglob("*") if folders.path not in str(path)} == before


def test_e08_a_planted_cache_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's folder")
    folders = Folders(str(tmp_path / "c"))
    Path(folders.root).mkdir()
    os.chown(folders.root, 12345, 12345)
    with pytest.raises(WherryError) as caught:
        prepare(folders)
    assert caught.value.name == "foreign-directory"
