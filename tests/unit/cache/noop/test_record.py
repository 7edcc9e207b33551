"""A build is remembered only when nothing it read can have changed meanwhile; a damaged memory is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.tools import need
from tests.support.unchanged import Example, tick
from tests.unit.cache.test_records import DAMAGES
from wherry.cache.noop import check, collect, mounts, record, state
from wherry.cache.noop.check import look
from wherry.cache.noop.inputs import FileOutput, Inputs, RegistryOutput, Tree
from wherry.cache.noop.own import PACKAGES, own_inputs
from wherry.oci.digest import of_bytes


@pytest.fixture(name="example")
def repository(tmp_path: Path) -> Example:
    need("git")
    return Example(tmp_path)


def paths(*found: Path) -> Inputs:
    return Inputs(paths=tuple(map(str, found)))


@pytest.mark.parametrize(
    "name", ["repo/main.go", "repo/README.md", "lib/lib.go", "repo/new.txt", "repo/.git/info/exclude"]
)
def test_what_changes_during_a_build_is_not_remembered(name: str, example: Example) -> None:
    began = example.began()
    path = example.write(name, "changed by somebody while Go compiled")
    os.utime(path, (1, 1))
    assert "changed during the build" in example.record(began)
    assert example.check() is None


def test_a_change_in_the_tick_of_the_beginning_counts_as_later(example: Example) -> None:
    path = example.write("repo/main.go", "package main // edited\n")
    found = state.stats(str(path))
    assert found is not None
    assert "changed" in example.record((state.changed_at(found), state.clock()[1]))


def test_a_file_system_that_counts_seconds_needs_two_of_them(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    real = state.stats

    def coarse(path: str) -> state.Stats | None:
        found = real(path)
        return found and [*found[:4], found[4] // 10**9 * 10**9, *found[5:]]

    monkeypatch.setattr(state, "stats", coarse)
    assert "changed during the build" in example.remember(paths(example.repo / "main.go"))
    later = state.clock()[0] + 3 * 10**9, state.clock()[1]
    assert example.remember(paths(example.repo / "main.go"), began=later) == ""


@pytest.mark.parametrize("step", [-3_600_000_000_000, -2_000_000, 2_000_000])
def test_a_clock_that_was_set_during_the_build_is_noticed(step: int, example: Example) -> None:
    stamp, ahead = example.began()
    assert example.record((stamp, ahead - step)) == "the clock was set during the build"


def test_files_of_the_future_are_not_believed(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a clock went back: what is newer than the build's beginning may have been changed since."""
    stamp, ahead = example.began()
    assert "changed during the build" in example.record((stamp - 3_600_000_000_000, ahead))


def test_what_cannot_be_listed_is_not_remembered(example: Example) -> None:
    assert example.remember(Inputs(unclear="hooks run before the build")) == "hooks run before the build"
    assert example.check() is None


def test_too_many_inputs_are_not_remembered(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MOST", 10)
    assert "more than" in example.record()


def test_a_foreign_clock_is_not_believed(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "HONEST", frozenset(("nfs4",)))
    assert "does not keep this machine's time" in example.record()
    monkeypatch.setattr(mounts, "MOUNTS", str(example.folder / "none"))
    assert "does not keep this machine's time" in example.record()


def test_mounts_are_found_by_device_and_else_by_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"2 1 0:50 / {tmp_path}/my\\040share rw shared:1 - nfs4 server:/x rw\n"
        f"3 1 0:51 / {tmp_path}/sub rw - btrfs /dev/sdb rw\n"
    )
    monkeypatch.setattr(mounts, "MOUNTS", str(table))
    assert mounts.honest("/anything", os.makedev(8, 1))
    assert not mounts.honest("/anything", os.makedev(0, 50))
    assert not mounts.honest(f"{tmp_path}/my share/x", os.makedev(9, 9))
    assert mounts.honest(f"{tmp_path}/sub/x", os.makedev(9, 9))


@pytest.mark.parametrize("host", ["registry.example", "registry.example:5000", "localhost", "10.0.0.1:5000"])
@pytest.mark.parametrize("read", [False, True])
def test_a_registry_elsewhere_is_asked_by_the_caller_alone(host: str, read: bool, example: Example) -> None:
    digest = of_bytes(b"")
    output = RegistryOutput(host=host, repository="app", tag="1", digest=digest, read=read)
    assert example.remember(Inputs(), output) == ""
    asked: list[list[str]] = []

    def yes(row: list[str]) -> bool:
        asked.append(row)
        return True

    assert look(example.request(), example.folders) == (None, ())
    assert look(example.request(), example.folders, yes)[0] == "r"
    assert asked == [["read" if read else "push", host, "app", "1", digest]]
    assert look(example.request(), example.folders, lambda _: False) == (None, ())


def test_nobody_elsewhere_is_asked_when_something_here_is_gone(example: Example) -> None:
    gone = RegistryOutput(host="127.0.0.1:9", repository="app", tag="1", digest=of_bytes(b""))
    elsewhere = RegistryOutput(host="registry.example", repository="app", tag="1", digest=of_bytes(b""))
    assert example.remember(Inputs(), elsewhere, gone) == ""
    assert look(example.request(), example.folders, lambda _: pytest.fail("asked")) == (None, ())


def test_an_archive_is_good_until_touched(example: Example) -> None:
    archive = example.write("app.tar", "tar")
    assert example.remember(Inputs(), FileOutput(path=str(archive)), result="r") == ""
    assert example.check() == "r"
    tick()
    archive.touch()
    assert example.check() is None
    assert "is gone" in example.remember(Inputs(), FileOutput(path=str(example.folder / "none")))


def test_a_large_file_is_known_by_its_stats(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "LARGEST_HASHED", 2)
    assert example.remember(paths(example.repo / "main.go"), result="r") == ""
    assert example.check() == "r"
    tick()
    (example.repo / "main.go").touch()
    assert example.check() is None


def test_recording_again_reads_only_what_changed(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    assert example.record() == ""
    read: list[str] = []
    real = state.hash_file

    def hashed(path: str) -> str:
        read.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(state, "hash_file", hashed)
    example.write("repo/main.go", "package main // edited\n")
    assert example.record(result="another") == ""
    assert read == ["main.go"]
    assert example.check() == "another"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_memory_is_none(damage: Callable[[Path], None], example: Example) -> None:
    assert example.record() == ""
    damage(Path(check.file_of(example.folders, example.request().key())))
    assert example.check() is None
    assert example.record() == ""
    assert example.check() == "the result"


def test_a_memory_that_others_could_write_is_none(example: Example) -> None:
    assert example.record() == ""
    path = Path(check.file_of(example.folders, example.request().key()))
    path.chmod(0o620)
    assert example.check() is None


def test_one_requests_memory_is_none_of_another(example: Example) -> None:
    assert example.record() == ""
    path = Path(check.file_of(example.folders, example.request().key()))
    path.rename(check.file_of(example.folders, example.request("--json").key()))
    assert check.unchanged(example.request("--json"), example.folders) is None


def test_a_full_disk_or_no_cache_is_no_error(example: Example) -> None:
    Path(example.folders.noop).rmdir()
    assert example.record() == ""
    assert example.check() is None


def test_wherry_and_what_moves_digests_are_inputs(tmp_path: Path) -> None:
    found = own_inputs()
    assert found.unclear == ""
    written = {Path(path).parent.name.partition("-")[0] for path in found.paths if path.endswith("/METADATA")}
    assert written == set(PACKAGES)
    assert (Path(found.trees[0].root) / "cache/noop/own.py").exists()


def test_a_package_that_is_not_found_makes_it_unclear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), "", str(tmp_path / "none.zip")])
    assert "certifi" in own_inputs().unclear


def test_the_check_imports_the_standard_library_only() -> None:
    code = (
        "import sys, json, os, hashlib; before = set(sys.modules); import wherry.cache.noop.check;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    foreign = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    own = ("check", "outputs", "request", "state")
    assert foreign == {
        *("wherry", "wherry.cache", "wherry.cache.folders", "wherry.cache.noop"),
        *(f"wherry.cache.noop.{name}" for name in own),
    }
    assert set(done.stdout.split()) - foreign <= {"__future__", "collections.abc"}


def test_trees(tmp_path: Path) -> None:
    for name in (
        "a.go",
        "b.txt",
        "go.mod",
        "_x/c.go",
        ".h/d.go",
        "testdata/e.go",
        "in/f.go",
        "in/g.txt",
        "__pycache__/h",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "nested/.git").mkdir(parents=True)
    (tmp_path / "nested/.git/HEAD").write_text("")
    (tmp_path / "nested/i.go").write_text("")

    def seen(tree: Tree) -> set[str]:
        found = collect.collect(Inputs(trees=(tree,)), frozenset(), "")
        return {path.removeprefix(str(tmp_path)) + f" {kind}".rstrip() for path, kind in found.items()}

    root = str(tmp_path)
    assert seen(Tree(root=root, kind="go")) == {
        " g",
        "/a.go",
        "/go.mod",
        "/in g",
        "/in/f.go",
        "/nested g",
        "/nested/i.go",
    }
    assert seen(Tree(root=root, kind="flat")) == {"", "/a.go", "/b.txt", "/go.mod"}
    everything = seen(Tree(root=root))
    assert everything >= {"", "/_x", "/_x/c.go", "/.h/d.go", "/testdata/e.go", "/in/g.txt", "/nested/i.go"}
    assert not any("__pycache__" in one or ".git" in one for one in everything)
    as_git = seen(Tree(root=root, kind="git", skip=(f"{root}/in", f"{root}/b.txt")))
    assert as_git >= {"/nested", "/nested/.git p", "/nested/.git/HEAD", "/_x/c.go"}
    assert not as_git & {"/nested/i.go", "/in", "/in/f.go", "/b.txt"}


def test_links_are_followed_and_programs_could_appear(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "real").write_text("")
    (tmp_path / "bin/go").symlink_to("../middle")
    (tmp_path / "middle").symlink_to(tmp_path / "real")
    inputs = Inputs(programs=(("go", f"{tmp_path}/bin/go"), ("podman", "")))
    found = collect.collect(inputs, frozenset(), f"{tmp_path}/first:relative:{tmp_path}/bin:{tmp_path}/last")
    go = {f"{tmp_path}/{name}" for name in ("first/go", "bin/go", "middle", "real")}
    podman = {f"{tmp_path}/{name}/podman" for name in ("first", "bin", "last")}
    assert set(found) == go | podman


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert len(collect.collect(paths(tmp_path / "a"), frozenset(), "")) == 2
