"""Rows A01, A02, A03, A12, A13 and the zoo of reliability.md: a hostile repository starts nothing and breaks nothing."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.analysis import MAIN, MODULE, Watched, git, look, repository, toolchain, write
from tests.support.runbook import until
from tests.support.tools import need
from wherry.analyze import vcs
from wherry.errors import BuildError, UsageError, WherryError
from wherry.kit.goenv import go_environment, merged
from wherry.kit.ports import Command, Completed
from wherry.system.environment import environment
from wherry.system.processes import Processes

Plant = Callable[[Path, str], None]


def set_up(repo: Path, *settings: str) -> None:
    for setting in settings:
        key, _, value = setting.partition("=")
        git(repo, "config", key, value)


def monitor(repo: Path, canary: str) -> None:
    set_up(repo, f"core.fsmonitor={canary}")


def clean_filter(repo: Path, canary: str) -> None:
    (repo / ".git/info/attributes").write_text("*.go filter=evil\n")
    set_up(repo, f"filter.evil.clean={canary}", "filter.evil.required=true")


def process_filter(repo: Path, canary: str) -> None:
    (repo / ".git/info/attributes").write_text("*.go filter=evil\n")
    set_up(repo, f"filter.evil.process={canary}")


def filter_in_an_odd_include(repo: Path, canary: str) -> None:
    """A path that only git's own reader puts together: it goes on behind a backslash."""
    (repo / ".git/info/attributes").write_text("*.go filter=a.b=c\n")
    (repo / ".git/odd").write_text(f'[filter "a.b=c"]\n\tclean = {canary}\n')
    with (repo / ".git/config").open("a") as file:
        file.write("[include]\n\tpath = o\\\ndd\n")


def external_diff(repo: Path, canary: str) -> None:
    set_up(repo, f"diff.external={canary}", f"diff.evil.textconv={canary}", f"diff.evil.command={canary}")
    (repo / ".git/info/attributes").write_text("*.go diff=evil\n")


def hooks(repo: Path, canary: str) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        hook = repo / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\nexec {canary}\n")
        hook.chmod(0o755)


def signatures(repo: Path, canary: str) -> None:
    set_up(repo, "log.showSignature=true", f"gpg.program={canary}", f"gpg.ssh.program={canary}")
    body = git(repo, "cat-file", "commit", "HEAD")
    head, _, message = body.partition("\n\n")
    text = f"{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n{message}\n"
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=repo,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    git(repo, "update-ref", "HEAD", made.stdout.strip())


def submodule(repo: Path, canary: str) -> None:
    inner = repository(repo.parent / "inner", {"file": "x"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    git(repo, "commit", "-q", "-m", "sub")
    set_up(repo, "submodule.sub.ignore=none", "status.submoduleSummary=true", "diff.ignoreSubmodules=none")
    set_up(repo / "sub", f"core.fsmonitor={canary}")
    (repo / "sub/file").write_text("changed")


def lazy_fetch(repo: Path, canary: str) -> None:
    set_up(repo, "core.repositoryFormatVersion=1", "extensions.partialClone=origin", "remote.origin.promisor=true")
    set_up(repo, "remote.origin.url=ssh://host/path", f"core.sshCommand={canary}", f"remote.origin.uploadpack={canary}")
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    (repo / ".git/objects" / tree[:2] / tree[2:]).unlink()
    git(repo, "read-tree", "--empty")


PLANTS = {
    "core.fsmonitor": monitor,
    "filter.clean": clean_filter,
    "filter.process": process_filter,
    "filter in an odd include": filter_in_an_odd_include,
    "diff.external": external_diff,
    "hooks": hooks,
    "gpg.program": signatures,
    "submodule": submodule,
    "lazy fetch": lazy_fetch,
}
#: Those that an unprotected `git status` or `git log -1` runs: shows that the canaries sing.
ALIVE = (
    "core.fsmonitor",
    "filter.clean",
    "filter in an odd include",
    "hooks",
    "gpg.program",
    "submodule",
    "lazy fetch",
)


def canary(folder: Path) -> tuple[str, Path]:
    """A program, and the file that is there once it has run."""
    sung = folder / "sung"
    program = folder / "canary"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {sung}\ncat\n')
    program.chmod(0o755)
    return str(program), sung


def planted(folder: Path, plant: Plant) -> tuple[Path, Path]:
    program, sung = canary(folder)
    repo = repository(folder / "repo")
    plant(repo, program)
    touched(repo)
    sung.unlink(missing_ok=True)
    return repo, sung


def touched(repo: Path) -> None:
    """Makes git look into the files: their times are others than in the index."""
    for path in repo.rglob("*.go"):
        os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.mark.parametrize("name", PLANTS)
def test_analysis_starts_no_program_of_the_repository(name: str, tmp_path: Path) -> None:
    """A01, A02: `git status` and the like, with each key that starts a program."""
    need("git")
    repo, sung = planted(tmp_path, PLANTS[name])
    project = look(repo)
    assert not sung.exists(), sung.read_text()
    assert [main.name for main in project.mains] == ["app"]
    assert (project.vcs is not None) == (name != "lazy fetch")


def unprotected(repo: Path, sung: Path, *words: str) -> None:
    """git as it is, and its end: the lazy fetch's canary would wait for an answer for ever, once it has sung."""
    pipe = subprocess.PIPE
    child = subprocess.Popen(["git", *words], cwd=repo, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    until(lambda: sung.exists() or child.poll() is not None)
    try:
        child.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@pytest.mark.parametrize("name", ALIVE)
def test_the_canaries_are_alive(name: str, tmp_path: Path) -> None:
    """Without protection each of them runs: else the test above would prove nothing."""
    repo, sung = planted(tmp_path, PLANTS[name])
    for words in (("status", "--porcelain"), ("log", "-1")):
        unprotected(repo, sung, *words)
    assert sung.exists()


@pytest.mark.parametrize("name", PLANTS)
def test_the_git_that_go_starts_is_harmless_too(name: str, tmp_path: Path) -> None:
    """A01: `go build -buildvcs=true` asks git; it gets the same protection."""
    repo, sung = planted(tmp_path, PLANTS[name])
    go = toolchain()
    variables = go_environment(environment(), go.environment, root=str(repo))
    ended = Processes()(
        Command(
            argv=(go.go, "build", "-buildvcs=true", "-o", str(tmp_path / "out"), "."),
            environment=merged(variables, (("CGO_ENABLED", "0"),)),
            directory=str(repo),
        )
    )
    assert not sung.exists(), sung.read_text()
    assert ended.code == 0 or name == "lazy fetch", ended.stderr.decode()


def test_a_filter_of_the_user_still_works(tmp_path: Path) -> None:
    """git-lfs is configured by the user: switching it off would call every large file changed."""
    repo = repository(tmp_path / "repo", {"go.mod": MODULE, "main.go": MAIN, ".gitattributes": "*.bin filter=upper\n"})
    (tmp_path / "config").write_text('[filter "upper"]\n\tclean = tr a-z A-Z\n')
    (repo / "x.bin").write_text("hello")
    user = (("GIT_CONFIG_GLOBAL", str(tmp_path / "config")),)
    subprocess.run(["git", "add", "x.bin"], cwd=repo, env={**os.environ, **dict(user)}, check=True)
    git(repo, "commit", "-q", "-m", "two")
    os.utime(repo / "x.bin", (1, 1))
    ours = environment({**os.environ, **dict(user)})
    seen = vcs.look(vcs.Source(folder=str(repo)), "/usr/bin/git", ours, Processes())
    assert seen.vcs is not None
    assert not seen.vcs.dirty


def test_an_old_git_is_not_asked(tmp_path: Path) -> None:
    """Settings by environment are git 2.31: where they do not count, nothing but the configuration is read."""
    repo = repository(tmp_path / "repo")
    asked = []

    def run(command: Command, /) -> Completed:
        asked.append(command.argv)
        return Completed(code=0, stdout=b"local\0core.fsmonitor\nevil\0")

    seen = vcs.look(vcs.Source(folder=str(repo)), "/usr/bin/git", environment(), run)
    assert seen.vcs is None
    assert [one.name for one in seen.findings] == ["git-too-old"]
    assert len(asked) == 1


def test_only_git_is_looked_at(tmp_path: Path) -> None:
    """A03: the settings of other version control systems are not read, by us or by `go list`."""
    program, sung = canary(tmp_path)
    repo = repository(tmp_path / "repo")
    write(
        repo,
        {
            ".hg/hgrc": f"[hooks]\npre-identify = {program}\n",
            ".svn/entries": "",
            ".bzr/branch-format": "",
            ".fslckout": "",
        },
    )
    run = Watched()
    assert look(repo, run=run).vcs is not None
    assert not sung.exists()
    assert {Path(command.argv[0]).name for command in run.commands} == {"go", "git"}


@pytest.mark.parametrize(
    "word",
    [
        "-x",
        "--toolexec=/bin/sh",
        "-C=/",
        "a\nb",
        "a\0b",
        "ext::sh -c x@v1",
        "file:///etc",
        "../../..",
        "./x\u202e",
        "a@-v",
        "@latest",
    ],
)
def test_a_word_never_becomes_an_option_or_another_scheme(word: str, tmp_path: Path) -> None:
    """A12."""
    write(tmp_path, {"go.mod": MODULE, "main.go": MAIN})
    run = Watched()
    with pytest.raises(UsageError):
        look(tmp_path, word, run=run, scratch=str(tmp_path))
    assert run.commands == []


def test_refs_and_folders_that_look_like_options(tmp_path: Path) -> None:
    """A12: names come from the repository, too."""
    repo = repository(
        tmp_path / "repo", {"go.mod": MODULE, "-exec=x/main.go": MAIN, "--/main.go": MAIN, "cmd/a/main.go": MAIN}
    )
    packed = repo / ".git/packed-refs"
    head = git(repo, "rev-parse", "HEAD")
    packed.write_text(f"{head} refs/tags/--upload-pack=x\n{head} refs/tags/v1.2.3\n")
    project = look(repo)
    assert project.vcs is not None
    assert project.vcs.tag == "v1.2.3"
    assert {main.name for main in project.mains} >= {"a"}


def test_programs_in_the_repository_are_not_taken(tmp_path: Path) -> None:
    """A13: `go` and `git` in the working directory, even when PATH names it."""
    program, sung = canary(tmp_path)
    repo = repository(tmp_path / "repo")
    for name in ("go", "git", "gcc", "sh"):
        (repo / name).symlink_to(program)
    run = Watched()
    known = environment({**os.environ, "PATH": f".:{repo}:{os.environ['PATH']}"})
    look(repo, run=run, environment=known)
    assert not sung.exists()
    for command in run.commands:
        path = dict(command.environment)["PATH"].split(":")
        assert "." not in path
        assert str(repo) not in path


def test_names_and_bytes_that_nobody_expects(tmp_path: Path) -> None:
    """The zoo: line feeds in names, pipes, links out and in circles, bytes that are no text, files of one endless expression."""
    deep = "package main\n\nvar x = " + "(" * 100_000 + "1" + ")" * 100_000 + "\nfunc main() {}\n"
    repo = repository(
        tmp_path / "repo",
        {
            "go.mod": MODULE,
            "cmd/good/main.go": MAIN,
            "cmd/deep/main.go": deep,
            "cmd/new\nline/main.go": MAIN,
            "cmd/bytes/main.go": b'package main\n\nvar s = "\xff\xfe"\nfunc main() {}\n',
            "cmd/noise/main.go": b"\x00\xff" * 1000,
            "cmd/tags/main.go": "//go:build " + "(" * 100_000 + "x" + ")" * 100_000 + "\n\n" + MAIN,
            "lib/lib.go": "//line /etc/passwd:1\npackage lib\n",
        },
    )
    write(repo, {"cmd/pipe/main.go": MAIN})
    os.mkfifo(repo / "cmd/pipe/pipe.go")
    (repo / "loop").symlink_to(repo)
    (repo / "cmd/good/out.go").symlink_to("/etc/passwd")
    project = look(repo)
    assert {"good", "deep", "bytes"} <= {main.name for main in project.mains}
    assert any("new\nline" in one.directory for one in project.left_out)
    assert not any("loop" in main.directory for main in project.mains)
    assert "pipe.go" in next(one.reason for one in project.left_out if one.directory == "cmd/pipe")
    with pytest.raises(BuildError, match="pipe"):
        look(repo, "./cmd/pipe")


def test_nothing_is_written_into_the_repository(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    before = {path: path.stat().st_mtime_ns for path in sorted(repo.rglob("*"))}
    look(repo, scratch=str(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in sorted(repo.rglob("*"))} == before


def test_no_repository_gives_a_traceback(tmp_path: Path) -> None:
    """Whatever a go.mod or go.work holds, the answer is a Project or one of our errors."""
    texts = (
        b"",
        b"module",
        b"module x\nmodule y",
        b"\xff",
        b'module "x',
        b"require (",
        b"module x\nreplace a => ../../..\n",
        b"module x\ngo 9.99\n",
    )
    for number, text in enumerate(texts):
        folder = write(tmp_path / str(number), {"go.mod": text, "main.go": MAIN})
        try:
            look(folder)
        except WherryError as error:
            assert error.message, text  # noqa: PT017


def test_sources_made_to_take_for_ever(tmp_path: Path) -> None:
    """Fields that refer to one another in all ways, functions that call themselves, one name with 100 000 values."""
    names = [f"Port{number}" for number in range(8)]
    fields = "\n".join(f"c.{one} = c.{other} + c.{one}" for one in names for other in names)
    calls = "\n".join(
        f"func f{number}(x string) string {{ return f{(number + 1) % 8}(x + x) + f{number}(x) }}" for number in range(8)
    )
    many = "\n".join(f'p = "{number}"' for number in range(20_000))
    listen = "\n".join(f'http.ListenAndServe(":" + c.Port{number % 8} + f{number % 8}(p), nil)' for number in range(50))
    text = f'package main\n\nimport "net/http"\n\n{calls}\n\nfunc main() {{\n{fields}\n{many}\n{listen}\n}}\n'
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    began = time.process_time()
    look(tmp_path, go=False)
    assert time.process_time() - began < 30
