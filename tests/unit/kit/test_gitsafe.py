"""Git filters that a repository's own configuration plants are found wherever git would find them (A02)."""

import subprocess
from pathlib import Path

import pytest

from tests.support.tools import need
from wherry.kit.gitsafe import git_environment, planted_filters

CONFIGS = [
    '[filter "evil"]\n\tclean = x\n',
    '\ufeff[FILTER "evil"] clean = x\n',
    '[core] [filter "evil"]\n\tclean = x\n',
    '\t[filter\t"evil"]\r\n\tclean = x\r\n',
    "[filter.evil]\n\tclean = x\n",
    '[core]\n\tbare = false\n# [filter "no"]\n[filter "evil"] # why\n\tsmudge = x\n',
]


def repository(folder: Path) -> Path:
    need("git")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@pytest.mark.parametrize("text", CONFIGS)
def test_a_filter_is_found_as_git_finds_it(text: str, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    (repo / ".git/config").write_text(text)
    listed = subprocess.run(
        ["git", "config", "--local", "--name-only", "--list"], cwd=repo, capture_output=True, text=True, check=True
    ).stdout
    assert "filter.evil" in listed
    assert "evil" in planted_filters(str(repo))
    (repo / "deep/er").mkdir(parents=True)
    assert "evil" in planted_filters(str(repo / "deep/er"))


def test_names_are_unescaped(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    (repo / ".git/config").write_text('[filter "a\\"b\\\\c\x0cd"]\n\tclean = x\n')
    assert planted_filters(str(repo)) == ('a"b\\c\x0cd',)


def test_includes_are_followed_whether_or_not_they_apply(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    (repo / ".git/config").write_text(
        '[include]\n\tpath = "more"\n[includeIf "gitdir:/nowhere/"] path = ../other ; x\n'
    )
    (repo / ".git/more").write_text('[filter "one"]\n[include]\n\tpath = config\n')
    (repo / "other").write_text('[filter "two"]\n')
    assert planted_filters(str(repo)) == ("one", "two")


def test_worktrees_read_their_common_configuration(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=repo, check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "tree")], cwd=repo, check=True)
    (repo / ".git/config").write_text('[filter "evil"]\n')
    (repo / ".git/worktrees/tree/config.worktree").write_text('[filter "too"]\n')
    assert planted_filters(str(tmp_path / "tree")) == ("evil", "too")


def test_without_a_repository_there_is_nothing(tmp_path: Path) -> None:
    assert planted_filters(str(tmp_path)) == ()
    assert planted_filters("") == ()


def test_each_filter_is_switched_off(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    (repo / ".git/config").write_text('[filter "evil"]\n\tclean = x\n\trequired\n')
    variables = dict(git_environment(str(repo)))
    pairs = {
        variables[f"GIT_CONFIG_KEY_{n}"]: variables[f"GIT_CONFIG_VALUE_{n}"]
        for n in range(int(variables["GIT_CONFIG_COUNT"]))
    }
    assert {key: value for key, value in pairs.items() if key.startswith("filter.")} == {
        "filter.evil.clean": "",
        "filter.evil.smudge": "",
        "filter.evil.process": "",
        "filter.evil.required": "false",
    }
