"""What differs, when only Go files do: `look` names them, `redraft` records the next build without collecting anything anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.unchanged import Example
from wherry.cache.noop.check import look
from wherry.cache.noop.record import finish, redraft


@pytest.fixture
def example(tmp_path: Path) -> Example:
    example = Example(tmp_path)
    assert example.record() == ""
    assert seen(example) == ("the result", ())
    return example


def seen(example: Example) -> tuple[str | None, tuple[str, ...] | None]:
    return look(example.request(), example.folders)


def test_edited_go_files_are_named(example: Example) -> None:
    example.write("repo/main.go", "package main\n\nfunc main() {}\n")
    example.write("lib/lib.go", "package lib\n\nvar one = 1\n")
    result, edited = seen(example)
    assert result is None
    assert set(edited or ()) == {f"{example.repo}/main.go", f"{example.folder}/lib/lib.go"}


def test_a_result_that_is_gone_leaves_the_inputs_as_they_were(example: Example) -> None:
    shutil.rmtree(example.repo / "out/blobs")
    assert seen(example) == (None, ())


def as_a_link(example: Example) -> None:
    (example.repo / "main.go").unlink()
    (example.repo / "main.go").symlink_to("x")


def with_other_rights(example: Example) -> None:
    example.write("repo/main.go", "package x\n")
    (example.repo / "main.go").chmod(0o700)


OTHER: dict[str, Callable[[Example], object]] = {
    "another file": lambda one: one.write("repo/README.md", "other"),
    "go.mod": lambda one: one.write("repo/go.mod", "module example.com/other\n"),
    "a new Go file": lambda one: one.write("repo/new.go", "package main\n"),
    "a Go file less": lambda one: (one.repo / "internal/deep/deep.go").unlink(),
    "a Go file as a link": as_a_link,
    "rights of a Go file": with_other_rights,
    "the standard library": lambda one: one.write("goroot/src/fmt/print.go", "package fmt // edited\n"),
    "a commit": lambda one: one.git("commit", "-q", "--allow-empty", "-m", "two"),
    "a tag": lambda one: one.git("tag", "v2.0.0"),
}


@pytest.mark.parametrize("name", OTHER)
def test_anything_else_is_not_called_an_edit(name: str, example: Example) -> None:
    example.write("repo/main.go", "package main\n\nfunc main() {}\n")
    OTHER[name](example)
    assert seen(example) == (None, None)


def test_the_edited_build_is_recorded_by_what_was_known(example: Example) -> None:
    path = str(example.write("repo/main.go", "package main\n\nfunc main() {}\n"))
    made = redraft(example.folders, example.request(), example.began(), (path,))
    assert finish(example.folders, made, example.outputs(), "the new result") == ""
    assert seen(example) == ("the new result", ())
    example.write("repo/main.go", "package main\n")
    assert seen(example) == (None, (path,))


@pytest.mark.parametrize("other", ["repo/README.md", "goroot/src/fmt/print.go", "repo/new.go", "lib/lib.go"])
def test_a_change_that_nobody_looked_at_is_not_recorded(other: str, example: Example) -> None:
    path = str(example.write("repo/main.go", "package main\n\nfunc main() {}\n"))
    example.write(other, "package other\n")
    made = redraft(example.folders, example.request(), example.began(), (path,))
    assert made.unclear


def test_without_an_index_nothing_is_recorded(example: Example) -> None:
    shutil.rmtree(example.folders.noop)
    assert redraft(example.folders, example.request(), example.began(), ()).unclear
