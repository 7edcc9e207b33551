"""Whatever can change a build ends the no-op; what changes nothing does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.tools import need
from tests.support.unchanged import BLOBS, MANIFEST, Example, tick
from wherry.cache.noop import check, state
from wherry.oci.digest import of_bytes


@pytest.fixture(name="example")
def recorded(tmp_path: Path) -> Example:
    need("git")
    example = Example(tmp_path)
    assert example.record() == ""
    assert example.check() == "the result"
    tick()
    return example


def rewrite_in_place(path: Path, text: str) -> None:
    """Another content of the same length in the same inode, with the old modification time."""
    before = path.stat()
    with path.open("r+") as file:
        file.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def environment(name: str, value: str | None) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        example.variables = (
            {**example.variables, name: value}
            if value is not None
            else {key: old for key, old in example.variables.items() if key != name}
        )

    return change


def write(name: str, text: str = "new") -> Callable[[Example], None]:
    def change(example: Example) -> None:
        example.write(name, text)

    return change


def remove(name: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        (example.folder / name).unlink()

    return change


def git(*commands: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        for words in commands:
            example.git(*words.split())

    return change


def executable(name: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        (example.folder / name).chmod(0o755)

    return change


def in_place(name: str, text: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        rewrite_in_place(example.folder / name, text)

    return change


def directory(name: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        (example.folder / name).mkdir()

    return change


def move(name: str, other: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        (example.folder / name).rename(example.folder / other)

    return change


def link(name: str, target: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        (example.folder / name).unlink(missing_ok=True)
        (example.folder / name).symlink_to(target)

    return change


CHANGES = {
    "edited Go file": write("repo/main.go"),
    "edit that hides its time": in_place("repo/main.go", "package mein\n"),
    "edited Go file in a package below": write("repo/internal/deep/deep.go"),
    "edited C file": write("repo/native.c"),
    "new file in a package folder": write("repo/internal/deep/more.go"),
    "removed file of a package folder": remove("repo/internal/deep/deep.go"),
    "changed embed": write("repo/static/css/b.css"),
    "new embed": write("repo/static/css/c.css"),
    "new embed in a folder that was empty": write("repo/static/empty/c.css"),
    "go.mod": write("repo/go.mod", "module example.com/other\n"),
    "go.sum": write("repo/go.sum", "x"),
    "go.mod between a package and its module": write("repo/internal/go.mod"),
    "vendor": write("repo/vendor/modules.txt"),
    "new go.work": write("repo/go.work"),
    "new go.work above": write("go.work"),
    "edited file of a replaced module": write("lib/lib.go"),
    "new file of a replaced module": write("lib/more.go"),
    "go.mod of a replaced module": write("lib/go.mod"),
    "go env -w": write("home/.config/go/env", "GOFLAGS=-race\n"),
    "GOFLAGS": environment("GOFLAGS", "-race"),
    "GOENV": environment("GOENV", "off"),
    "PATH": environment("PATH", "/usr/bin:/bin"),
    "a variable that settings name": environment("TEAM", "blue"),
    "SOURCE_DATE_EPOCH": environment("SOURCE_DATE_EPOCH", "1"),
    "another go first on PATH": write("first/go", "#!/bin/sh\n"),
    "another git first on PATH": write("first/git", "#!/bin/sh\n"),
    "new toolchain in place": write("goroot/VERSION", "go1.27.0"),
    "new go.env": write("goroot/go.env", "GOPROXY=off\n"),
    "new compiler": write("goroot/pkg/tool/linux_amd64/compile"),
    "new go command": write("goroot/bin/go"),
    "edited standard library": in_place("goroot/src/fmt/print.go", "package fnt\n"),
    "new file in the standard library": write("goroot/src/fmt/more.go"),
    "new asset": write("repo/assets/more/new.svg"),
    "changed asset": in_place("repo/assets/logo.svg", "<SVG/>"),
    "executable asset": executable("repo/assets/logo.svg"),
    "renamed asset": move("repo/assets/logo.svg", "repo/assets/icon.svg"),
    "asset that became a link": link("repo/assets/logo.svg", "../README.md"),
    "new tag": git("tag v2.0.0"),
    "moved tag": git("commit -q --allow-empty -m two", "tag -f v1.0.0", "reset -q --soft HEAD~1"),
    "removed tag": git("tag -d v1.0.0"),
    "tag in a folder": git("tag cmd/app/v1.2.0"),
    "empty commit": git("commit -q --allow-empty -m two"),
    "another branch": git("checkout -q -b other"),
    "detached head": git("checkout -q --detach"),
    "untracked file": write("repo/todo.txt"),
    "untracked file far below": write("repo/docs/todo.txt"),
    "untracked file beside ignored ones": write("repo/odd/new.md"),
    "changed file that is no input": write("repo/README.md"),
    "changed file of equal size": in_place("repo/docs/guide.md", "GUIDE"),
    "removed file that is no input": remove("repo/docs/guide.md"),
    "executable bit": executable("repo/README.md"),
    "staged removal": git("rm -q --cached README.md"),
    "new .gitignore": write("repo/docs/.gitignore", "*\n"),
    "info/exclude": write("repo/.git/info/exclude", "x\n"),
    "git's settings": git("config core.fileMode false"),
    "the user's git settings": write("home/.gitconfig", "[status]\n\tshowUntrackedFiles = no\n"),
    "the user's ignore file": write("home/.config/git/ignore", "*.txt\n"),
    "the user's attributes": write("home/.config/git/attributes", "* text\n"),
    "no repository any more": move("repo/.git", "elsewhere"),
    "wherry.toml": write("repo/wherry.toml"),
    "wherry.lock": write("repo/wherry.lock"),
    "wherry.toml of a folder": write("repo/ignored/wherry.toml"),
    "the user's wherry.toml": write("home/.config/wherry/wherry.toml"),
    "Docker's settings": write("home/.docker/config.json"),
    "Docker's contexts": write("home/.docker/contexts/meta/0/meta.json"),
    "another podman": write("first/podman"),
    "new main far away": write("repo/ignored/tool/main.go", "package main\n"),
    "a module far away": write("repo/ignored/go.mod", "module x\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_ends_it(name: str, example: Example) -> None:
    CHANGES[name](example)
    assert example.check() is None


def touch(name: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        (example.folder / name).touch()

    return change


def replaced(name: str) -> Callable[[Example], None]:
    """As editors save: a new file over the old one."""

    def change(example: Example) -> None:
        path = example.folder / name
        path.with_name("saved").write_bytes(path.read_bytes())
        path.with_name("saved").replace(path)

    return change


def appears_and_goes(name: str) -> Callable[[Example], None]:
    def change(example: Example) -> None:
        example.write(name, "swap").unlink()

    return change


NOTHING = {
    "nothing": lambda example: None,
    "touched Go file": touch("repo/main.go"),
    "touched embed": touch("repo/static/a.txt"),
    "saved again": replaced("repo/internal/deep/deep.go"),
    "swap file of an editor": appears_and_goes("repo/.main.go.swp"),
    "lock of git": appears_and_goes("repo/.git/index.lock"),
    "fetched": write("repo/.git/FETCH_HEAD"),
    "object": write("repo/.git/objects/ab/cdef"),
    "ignored file": write("repo/ignored/more.txt"),
    "new image in the layout": write("repo/out/blobs/sha256/other"),
    "file for another system in the standard library": write("goroot/src/fmt/print_windows.go"),
    "variable that nobody reads": environment("EDITOR", "vi"),
    "other user's file above": write("notes.txt"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_nothing_does_not(name: str, example: Example) -> None:
    NOTHING[name](example)
    assert example.check() == "the result"


def test_a_touched_file_is_read_once(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = state.hash_file

    def hashed(path: str) -> str:
        read.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(state, "hash_file", hashed)
    (example.repo / "main.go").touch()
    tick()
    for _ in range(3):
        assert example.check() == "the result"
    assert read == ["main.go"]
    rewrite_in_place(example.repo / "main.go", "package mein\n")
    assert example.check() is None


def test_a_file_touched_this_very_moment_is_read_until_a_change_would_show(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example.repo / "main.go").touch()
    stopped = state.stats(str(example.repo / "main.go"))
    assert stopped is not None
    monkeypatch.setattr(state, "clock", lambda: (state.changed_at(stopped), 0))
    monkeypatch.setattr(state, "LAG_NS", 0)
    assert example.check() == "the result"
    index = check.load(example.folders, example.request().key())
    assert index is not None
    assert index["unsure"] == [str(example.repo / "main.go")]


def test_another_request_or_repository_has_no_answer(example: Example, tmp_path: Path) -> None:
    assert check.unchanged(example.request("-t", "x"), example.folders) is None
    other = Example(tmp_path / "other")
    other.folders = example.folders
    assert other.check() is None


DAMAGES: dict[str, Callable[[Example], None]] = {
    "no layout": move("repo/out", "moved"),
    "no blob": lambda example: blob(example, 2).unlink(),
    "flipped bit": lambda example: rewrite_in_place(blob(example, 2), "Layer"),
    "short blob": lambda example: os.truncate(blob(example, 0), 3),
    "no index.json": lambda example: (example.repo / "out/index.json").unlink(),
    "half an index.json": lambda example: os.truncate(example.repo / "out/index.json", 20),
    "another image by that name": lambda example: named(example, MANIFEST.replace("a", "b")),
    "the name is gone": lambda example: named(example, MANIFEST, name="2.0.0"),
    "an index.json of another form": write("repo/out/index.json", "[]"),
    "an index.json of nulls": write("repo/out/index.json", '{"manifests":[null]}'),
}


def blob(example: Example, number: int) -> Path:
    return example.repo / "out/blobs" / of_bytes(BLOBS[number]).path


def named(example: Example, digest: str, *, name: str = "1.0.0") -> None:
    index = example.repo / "out/index.json"
    index.write_text(index.read_text().replace(MANIFEST, digest).replace("1.0.0", name))


@pytest.mark.parametrize("name", DAMAGES)
def test_a_result_that_is_not_there_ends_it(name: str, example: Example) -> None:
    DAMAGES[name](example)
    assert example.check() is None


def test_a_blob_that_only_looks_new_is_read_and_believed(example: Example) -> None:
    os.link(blob(example, 2), example.folder / "another name")
    assert example.check() == "the result"


def test_another_start_of_the_machine_ends_it(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "boot_id", lambda: "later")
    assert example.check() is None
    monkeypatch.setattr(state, "boot_id", lambda: "")
    assert example.check() is None
