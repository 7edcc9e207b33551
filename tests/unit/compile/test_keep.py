"""Kept binaries are believed only when they are whole and their own."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.support.compiling import compilation
from wherry.compile import keep
from wherry.model.binary import Binary
from wherry.model.plan import Compilation
from wherry.model.toolchain import Toolchain
from wherry.oci.platform import Platform

TOOLCHAIN = Toolchain(go="/go/bin/go", version="go1.26.8", root="/go", origin="path")
WHAT = compilation(Path("/src"))


class Kept:
    """A kept folder and what one build after another does with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = keep.kept_directory(str(root / "kept"), WHAT, TOOLCHAIN)
        self.file = self.folder / "app"
        (root / "scratch").mkdir()

    def begin(self) -> tuple[keep.Seed, Path]:
        out, _ = keep.workspace(str(self.root / "scratch"), keep.key(WHAT, TOOLCHAIN))
        (seed,) = keep.seed(WHAT, self.folder, out)
        return seed, out

    def build(self, data: bytes) -> tuple[bool, str, Path]:
        """As Go does: leaves a file that is already right, else puts a new one in its place."""
        seed, out = self.begin()
        if (out / "app").exists() and (out / "app").read_bytes() == data:
            os.utime(out / "app")
        else:
            (out / "new").write_bytes(data)
            (out / "new").replace(out / "app")
        linked, sha256 = keep.publish(seed, out, self.folder)
        return linked, sha256, out / "app"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_kept_file_comes_back(kept: Kept) -> None:
    assert kept.build(b"one")[0] is True
    assert kept.build(b"one")[0] is False
    assert kept.build(b"one")[0] is False, "Go's touching it does no harm"
    assert kept.build(b"two")[0] is True
    assert kept.file.read_bytes() == b"two"


def bytes_flipped(file: Path) -> None:
    file.write_bytes(b"oNe")


def truncated(file: Path) -> None:
    os.truncate(file, 1)


def removed(file: Path) -> None:
    file.unlink()


def replaced_by_equal_times(file: Path) -> None:
    status = file.stat()
    file.unlink()
    file.write_bytes(b"uno")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def made_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def made_a_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def record_removed(file: Path) -> None:
    (file.parent / ".app.json").unlink()


def record_broken(file: Path) -> None:
    (file.parent / ".app.json").write_text('{"size": 3')


def record_of_an_earlier_start(file: Path) -> None:
    record = msgspec.json.decode((file.parent / ".app.json").read_bytes(), type=keep.Record)
    earlier = msgspec.structs.replace(record, boot="another")
    (file.parent / ".app.json").write_bytes(msgspec.json.encode(earlier))


DAMAGE = (bytes_flipped, truncated, removed, replaced_by_equal_times, made_a_folder, made_a_link, record_removed,
          record_broken, record_of_an_earlier_start)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: str(one.__name__))
def test_what_is_not_as_recorded_is_not_believed(damage: Callable[[Path], None], kept: Kept) -> None:
    kept.build(b"one")
    damage(kept.file)
    seed, out = kept.begin()
    assert seed.inode == 0
    assert not (out / "app").exists(), "Go would believe its build id"


def test_without_a_boot_id_nothing_is_believed(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "BOOT_ID", "/nowhere")
    kept.build(b"one")
    assert kept.build(b"one")[0] is True


def test_a_build_that_was_killed_leaves_nothing_behind_to_believe(kept: Kept) -> None:
    kept.build(b"one")
    _, out = kept.begin()
    (out / "app").unlink()
    (out / "app").write_bytes(b"half a tw")
    assert kept.file.read_bytes() == b"one"
    assert kept.build(b"one")[0] is False


def test_killed_between_rename_and_record(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.build(b"one")
    monkeypatch.setattr(keep, "_write_record", lambda *_: None)
    kept.build(b"two")
    monkeypatch.undo()
    assert kept.begin()[0].inode == 0


def test_two_builds_at_once_each_have_their_own(kept: Kept) -> None:
    seed_a, out_a = kept.begin()
    seed_b, out_b = kept.begin()
    (out_a / "app").write_bytes(b"a")
    (out_b / "app").write_bytes(b"b")
    keep.publish(seed_a, out_a, kept.folder)
    keep.publish(seed_b, out_b, kept.folder)
    assert ((out_a / "app").read_bytes(), (out_b / "app").read_bytes()) == (b"a", b"b")
    assert kept.file.read_bytes() == b"b"
    assert kept.build(b"b")[0] is False


def test_a_kept_folder_that_goes_away_costs_only_a_link(kept: Kept) -> None:
    kept.build(b"one")
    seed, out = kept.begin()
    for file in kept.folder.iterdir():
        file.unlink()
    kept.folder.rmdir()
    (out / "app").unlink()
    (out / "app").write_bytes(b"two")
    assert keep.publish(seed, out, kept.folder) == (True, "")


def test_a_kept_folder_that_cannot_be_written_costs_only_a_link(kept: Kept) -> None:
    kept.folder.parent.write_text("no folder")
    assert kept.build(b"one")[0] is True


def binary(file: Path, sha256: str = "ab" * 32) -> Binary:
    platform = Platform(architecture="amd64")
    return Binary(import_path="example.com/app", name="app", platform=platform, file=str(file), size=3, sha256=sha256)


def test_a_digest_is_remembered_for_the_same_file(kept: Kept) -> None:
    _, none, file = kept.build(b"one")
    assert none == ""
    keep.remember(binary(file), str(kept.root / "kept"))
    assert kept.build(b"one")[1] == "ab" * 32
    assert kept.build(b"two")[1] == ""


def test_a_digest_is_not_remembered_for_another_file(kept: Kept) -> None:
    _, _, old = kept.build(b"one")
    kept.build(b"two")
    keep.remember(binary(old), str(kept.root / "kept"))
    assert kept.build(b"two")[1] == ""


CHANGES: tuple[Compilation, ...] = (
    msgspec.structs.replace(WHAT, directory="/other"),
    msgspec.structs.replace(WHAT, flags=(*WHAT.flags, "-race")),
    msgspec.structs.replace(WHAT, environment=(*WHAT.environment, ("GOAMD64", "v3"))),
    msgspec.structs.replace(WHAT, platform=Platform(architecture="arm64")),
    compilation(Path("/src"), "cmd/api"),
)


@pytest.mark.parametrize("change", CHANGES)
def test_every_input_makes_another_key(change: Compilation) -> None:
    assert keep.key(change, TOOLCHAIN) != keep.key(WHAT, TOOLCHAIN)


def test_another_go_makes_another_key() -> None:
    other = msgspec.structs.replace(TOOLCHAIN, version="go1.26.9")
    assert keep.key(WHAT, other) != keep.key(WHAT, TOOLCHAIN)
