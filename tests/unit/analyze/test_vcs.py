"""The git state: real repositories, the real git."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.analysis import MAIN, MODULE, git, look, repository, write
from tests.support.tools import need
from wherry.model.project import Project, Vcs
from wherry.system.environment import environment


def state(folder: Path) -> Vcs:
    found = look(folder, go=False).vcs
    assert found is not None
    return found


def findings(project: Project) -> list[str]:
    return [one.name for one in project.findings]


def commit(repo: Path, message: str = "next") -> str:
    (repo / "notes").write_text(message)
    git(repo, "add", "--all")
    git(repo, "commit", "-q", "-m", message)
    return git(repo, "rev-parse", "HEAD")


def test_a_tagged_commit(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "tag", "-a", "v1.2.3", "-m", "release")
    found = state(repo)
    assert found.revision == git(repo, "rev-parse", "HEAD")
    assert (found.tag, found.version, found.branch) == ("v1.2.3", "1.2.3", "main")
    assert (found.dirty, found.changed_files) == (False, 0)
    assert found.time == 1767323045


def test_commits_after_the_tag(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "tag", "v1.2.3")
    revision = commit(repo)
    assert state(repo).version == f"1.2.4-0.20260102030405-{revision[:12]}"
    assert state(repo).tag == "v1.2.3"


def test_no_tag_at_all(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    assert state(repo).version == f"0.0.0-20260102030405-{git(repo, 'rev-parse', 'HEAD')[:12]}"
    assert state(repo).tag == ""


def test_each_module_has_the_version_of_its_own_tags(tmp_path: Path) -> None:
    """As Go's nested modules do: `sub/v1.2.3`; without a tag of its own the repository's counts."""
    modules = {f"{name}/go.mod": f"module example.com/{name}\n\ngo 1.24\n" for name in ("api", "worker", "other")}
    mains = {f"{name}/main.go": MAIN for name in ("api", "worker", "other")}
    repo = repository(
        tmp_path, {**modules, **mains, "go.work": "go 1.24\n\nuse (\n\t./api\n\t./worker\n\t./other\n)\n"}
    )
    for tag in ("v0.9.0", "api/v1.2.3", "worker/v3.0.0"):
        git(repo, "tag", tag)
    project = look(repo, "./...")
    versions = {one: project.version_of(f"example.com/{one}") for one in ("api", "worker", "other")}
    assert {name: (one.tag, one.version) for name, one in versions.items() if one} == {
        "api": ("api/v1.2.3", "1.2.3"),
        "worker": ("worker/v3.0.0", "3.0.0"),
        "other": ("v0.9.0", "0.9.0"),
    }
    assert look(repo, "./worker").version_of("example.com/worker") == versions["worker"]


@pytest.mark.parametrize("change", ["modified", "staged", "deleted", "untracked", "mode"])
def test_every_change_is_dirty(change: str, tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "tag", "v1.0.0")
    match change:
        case "modified":
            (repo / "main.go").write_text(MAIN + "\n")
        case "staged":
            (repo / "main.go").write_text(MAIN + "\n")
            git(repo, "add", "main.go")
        case "deleted":
            (repo / "main.go").unlink()
            write(repo, {"go.mod": MODULE})
        case "untracked":
            (repo / "new file\nwith a line feed").write_text("x")
        case _:
            (repo / "main.go").chmod(0o755)
    found = state(repo)
    assert (found.dirty, found.changed_files, found.version) == (True, 1, "1.0.0+dirty")


def test_a_touched_file_and_an_ignored_one_are_not(tmp_path: Path) -> None:
    repo = repository(tmp_path, {"go.mod": MODULE, "main.go": MAIN, ".gitignore": "*.tmp\n"})
    os.utime(repo / "main.go", (1, 1))
    (repo / "x.tmp").write_text("x")
    assert not state(repo).dirty


def test_go_stamps_the_same(tmp_path: Path) -> None:
    """What `go version -m` will show and what the image's label says must not differ."""
    need("go")
    repo = repository(tmp_path / "repo")
    git(repo, "tag", "v1.2.3")
    commit(repo)
    (repo / "dirt").write_text("x")
    out = tmp_path / "out"
    environ = {**os.environ, "GOFLAGS": "", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-buildvcs=true", "-o", str(out), "."], cwd=repo, check=True, env=environ)
    said = subprocess.run(["go", "version", "-m", str(out)], capture_output=True, text=True, check=True).stdout
    found = state(repo)
    assert f"mod\texample.com/app\tv{found.version}\t" in said
    assert f"vcs.revision={found.revision}" in said
    assert "vcs.modified=true" in said


def test_a_nested_module_has_tags_of_its_own(tmp_path: Path) -> None:
    repo = repository(
        tmp_path, {"go.mod": MODULE, "main.go": MAIN, "sub/go.mod": "module example.com/app/sub\n", "sub/main.go": MAIN}
    )
    git(repo, "tag", "v9.9.9")
    assert state(repo / "sub").version == "9.9.9", "the repository's, as long as there is no other"
    git(repo, "tag", "sub/v0.4.0")
    assert (state(repo / "sub").tag, state(repo / "sub").version) == ("sub/v0.4.0", "0.4.0")
    assert state(repo).version == "9.9.9"


def test_a_worktree(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    git(repo, "tag", "v1.0.0")
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    found = state(tmp_path / "tree")
    assert (found.branch, found.version) == ("side", "1.0.0")


def test_a_detached_head(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "checkout", "-q", "--detach")
    assert state(repo).branch == ""


def test_a_shallow_clone_says_so(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    git(repo, "tag", "v1.0.0")
    commit(repo)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", "clone")
    project = look(tmp_path / "clone", go=False)
    assert project.vcs is not None
    assert project.vcs.version.startswith("0.0.0-")
    assert findings(project) == ["shallow-clone"]
    git(tmp_path, "clone", "-q", "--depth=1", "--branch=v1.0.0", f"file://{repo}", "tagged")
    tagged = look(tmp_path / "tagged", go=False)
    assert findings(tagged) == []
    assert tagged.vcs is not None
    assert tagged.vcs.version == "1.0.0"


def test_no_commit_no_git_no_repository(tmp_path: Path) -> None:
    need("git")
    write(tmp_path, {"a/go.mod": MODULE, "a/main.go": MAIN, "b/go.mod": MODULE, "b/main.go": MAIN})
    git(tmp_path / "a", "init", "-q")
    empty = look(tmp_path / "a", go=False)
    assert (empty.vcs, findings(empty)) == (None, ["git-empty"])
    bare = look(tmp_path / "b", go=False)
    assert (bare.vcs, findings(bare)) == (None, [])
    without = look(tmp_path / "a", go=False, environment=environment({"HOME": str(tmp_path), "PATH": "/nowhere"}))
    assert without.vcs is None


def test_git_is_not_installed(tmp_path: Path) -> None:
    from wherry.analyze import vcs
    from wherry.system.processes import Processes

    repo = repository(tmp_path)
    seen = vcs.look(vcs.Source(folder=str(repo)), "", environment(), Processes())
    assert [one.name for one in seen.findings] == ["git-missing"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_a_repository_of_another_user(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    for path in (repo, *repo.rglob("*")):
        os.chown(path, 12345, 12345)
    project = look(repo, go=False)
    assert (project.vcs, findings(project)) == (None, ["git-owner"])
    assert str(repo) in project.findings[0].next


def test_a_damaged_repository(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    (repo / ".git/HEAD").write_text("nonsense")
    project = look(repo, go=False)
    assert project.vcs is None
    assert findings(project) == ["git-unreadable"]


def test_submodules_are_left_alone(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"file": "x"})
    repo = repository(tmp_path / "repo")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    git(repo, "commit", "-q", "-m", "sub")
    (repo / "sub/file").write_text("changed")
    assert not state(repo).dirty


def test_the_origin_is_told_without_credentials(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "remote", "add", "origin", "https://user:secret@git.example/team/app.git")
    assert state(repo).source == "https://git.example/team/app"
