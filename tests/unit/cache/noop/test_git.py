"""Repositories of unusual shapes: whatever git's answer hangs on is an input."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tools import need
from tests.support.unchanged import Example, tick
from wherry.cache.noop.check import unchanged
from wherry.cache.noop.git import MARKERS, Git, git_inputs, no_git_inputs
from wherry.cache.noop.inputs import Inputs
from wherry.kit.gitsafe import git_environment
from wherry.system.processes import Processes


@pytest.fixture(name="example")
def repository(tmp_path: Path) -> Example:
    need("git")
    return Example(tmp_path)


def inputs(example: Example, worktree: Path, *more: tuple[str, str]) -> Inputs:
    environment = (
        ("HOME", example.variables["HOME"]),
        ("PATH", "/usr/bin:/bin"),
        *git_environment(str(worktree)),
        *more,
    )
    return git_inputs(str(worktree), Git(program="/usr/bin/git", environment=environment), Processes())


def remember(example: Example, found: Inputs) -> None:
    assert example.remember(found) == ""
    assert unchanged(example.request(), example.folders) == "r"
    tick()


def test_a_linked_worktree_has_a_head_and_index_of_its_own(example: Example) -> None:
    example.git("worktree", "add", "-q", "-b", "side", "../side")
    side = example.folder / "side"
    remember(example, inputs(example, side))
    example.git("commit", "-q", "--allow-empty", "-m", "on main")
    assert unchanged(example.request(), example.folders) == "r", "another branch is no input"
    example.git("-C", "../side", "commit", "-q", "--allow-empty", "-m", "on side")
    assert unchanged(example.request(), example.folders) is None


def test_tags_of_a_linked_worktree_are_the_repositorys(example: Example) -> None:
    example.git("worktree", "add", "-q", "-b", "side", "../side")
    remember(example, inputs(example, example.folder / "side"))
    example.git("tag", "v9.0.0")
    assert unchanged(example.request(), example.folders) is None


def test_packed_refs_are_an_input(example: Example) -> None:
    example.git("pack-refs", "--all")
    remember(example, inputs(example, example.repo))
    packed = example.repo / ".git/packed-refs"
    packed.write_text(packed.read_text().replace("v1.0.0", "v1.0.1"))
    assert unchanged(example.request(), example.folders) is None


def test_a_first_loose_tag_is_seen_where_there_was_no_folder(example: Example) -> None:
    example.git("tag", "-d", "v1.0.0")
    (example.repo / ".git/refs/tags").rmdir()
    remember(example, inputs(example, example.repo))
    example.git("tag", "v2.0.0")
    assert unchanged(example.request(), example.folders) is None


def test_a_tracked_file_in_an_ignored_folder_is_an_input(example: Example) -> None:
    example.git("add", "-f", "ignored/notes.txt")
    example.git("commit", "-q", "-m", "forced")
    remember(example, inputs(example, example.repo))
    example.write("repo/ignored/notes.txt", "changed")
    assert unchanged(example.request(), example.folders) is None


def test_names_that_git_quotes_are_looked_into(example: Example) -> None:
    example.write('repo/ignored dir "x\\y/ünïcode/file', "")
    example.write("repo/.gitignore", "ignored*/\nout/\n")
    remember(example, inputs(example, example.repo))
    example.write('repo/ignored dir "x\\y/ünïcode/file', "changed")
    assert unchanged(example.request(), example.folders) is None, "which is too careful, and never wrong"


@pytest.mark.parametrize(
    "setting", ["include.path", "includeIf.gitdir:/.path", "core.excludesFile", "core.attributesFile"]
)
def test_settings_that_settings_name_are_inputs(setting: str, example: Example) -> None:
    example.git("config", "--global", setting, "~/more")
    remember(example, inputs(example, example.repo))
    example.write("home/more", "[core]\n")
    assert unchanged(example.request(), example.folders) is None


def test_a_nested_repository_counts_as_one_name(example: Example) -> None:
    example.write("repo/nested/file", "")
    example.git("init", "-q", "nested")
    remember(example, inputs(example, example.repo))
    example.write("repo/nested/file", "changed, and git does not look inside")
    assert unchanged(example.request(), example.folders) == "r"
    (example.repo / "nested/.git").rename(example.folder / "gone")
    assert unchanged(example.request(), example.folders) is None


def test_asking_runs_nothing_that_the_repository_chose(example: Example) -> None:
    program = example.write("planted.sh", f"#!/bin/sh\ntouch {example.folder}/ran\ncat\n")
    program.chmod(0o755)
    for setting in (
        "core.fsmonitor",
        "core.pager",
        "filter.x.clean",
        "filter.x.process",
        "diff.external",
        "core.hooksPath",
    ):
        example.git("config", setting, str(program))
    example.write("repo/.gitattributes", "* filter=x\n")
    example.write("repo/README.md", "read me too")
    found = inputs(example, example.repo)
    assert found.unclear == ""
    assert not (example.folder / "ran").exists()


def test_a_repository_that_git_refuses_is_unclear(example: Example) -> None:
    (example.repo / ".git/HEAD").unlink()
    assert inputs(example, example.repo).unclear
    assert inputs(example, example.folder / "lib").unclear


def test_outside_any_repository_a_new_one_is_seen(example: Example, tmp_path: Path) -> None:
    found = no_git_inputs(str(example.folder / "lib"))
    if found.unclear:
        pytest.skip(found.unclear)
    remember(example, found)
    example.git("init", "-q", "..")
    assert unchanged(example.request(), example.folders) is None


@pytest.mark.parametrize("marker", MARKERS)
def test_other_systems_are_unclear(marker: str, example: Example) -> None:
    example.write(f"above/{marker}/x", "")
    assert marker in no_git_inputs(str(example.folder / "above/below")).unclear
