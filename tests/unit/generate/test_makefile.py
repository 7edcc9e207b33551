"""The Makefile, read by the real make: what programs are called with, whatever a repository is called."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.makefiles import CHOICE, make, recorded, written
from tests.support.recorder import recorder
from tests.support.tools import need
from wherry.errors import UsageError
from wherry.generate.makefile import files
from wherry.generate.shell import linked
from wherry.model.application import Application, Program, Stamp

WORK = ["help", "build", "local", "test", "race", "vet", "lint", "errcheck", "vuln"]
TARGETS = [*WORK, "version", "image", "image-docker", "push", "prove", "run", "stop", "clean"]
LOOKED = ("wherry", "logs", "shop-api")
ONE_LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
NASTY = "".join(sign for sign in HOSTILE if sign >= " ")
BACKSLASHES = ("\\", "a\\\\#b\\#c\\", " #$(shell touch /tmp/x) $$ ${IMAGE}", "%", "$", "\\$")


@pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (API, JOBS))], ids=["api", "jobs", "both"]
)
def test_golden(name: str, applications: tuple[Application, ...]) -> None:
    same_as_golden(f"makefile-{name}", files(applications, CHOICE))


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_help_names_every_target_and_each_is_phony(application: Application, tmp_path: Path) -> None:
    written(tmp_path, application)
    for name in TARGETS:  # a file of that name is no reason to do nothing
        (tmp_path / name).write_text("")
    said = make(tmp_path, "help")
    assert said.returncode == 0, said.stderr
    assert [line.split()[0] for line in said.stdout.splitlines()] == TARGETS
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert make(tmp_path).stdout == said.stdout, "help is what a bare make says"
    for name in TARGETS:
        assert make(tmp_path, "-n", name).stdout.strip(), name


def test_each_target_calls_what_it_says(tmp_path: Path) -> None:
    written(tmp_path, API)
    programs = recorded(tmp_path)
    expected = {
        "vet": [("go", "vet", "./...")],
        "race": [("go", "test", "-race", "./...")],
        "vuln": [("go", "run", "golang.org/x/vuln/cmd/govulncheck@v1.9.0", "./...")],
        "image": [("wherry", "build", "./cmd/api", "-t", "registry.example.com/shop/shop-api:{version}")],
        "prove": [("wherry", "prove", "./cmd/api")],
        "run": [LOOKED, ("wherry", "run", "-d", "--name", "shop-api", "-p", "8080:8080", "./cmd/api")],
        "stop": [LOOKED],
    }
    for target, calls in expected.items():
        programs.forget()
        done = make(tmp_path, target, PATH=programs.path)
        assert done.returncode == 0, done.stderr
        assert programs.words() == calls
    assert programs.calls[0].variables.get("PORT") is None, "PORT is this file's, not the programs'"


def test_go_runs_with_the_variables_of_the_plan(tmp_path: Path) -> None:
    written(tmp_path, API)
    programs = recorded(tmp_path)
    assert make(tmp_path, "test", "race", PATH=programs.path, CGO_ENABLED="1", GOWORK="/x").returncode == 0
    found = [(one.variables["CGO_ENABLED"], one.variables["GOWORK"]) for one in programs.calls]
    assert found == [("0", "off"), ("1", "off")]


def test_checks_have_the_tags_and_all_packages_of_the_build(tmp_path: Path) -> None:
    written(tmp_path, JOBS)
    programs = recorded(tmp_path)
    assert make(tmp_path, "test", "vet", "errcheck", "vuln", PATH=programs.path).returncode == 0
    tool = "github.com/kisielk/errcheck@v1.20.0"
    assert programs.words()[:3] == [
        ("go", "test", "-tags=netgo", "work"),
        ("go", "vet", "-tags=netgo", "work"),
        ("go", "run", tool, "-exclude", "/dev/stdin", "-tags=netgo", "work"),
    ]


def hostile(text: str) -> Application:
    """API with `text` wherever a repository or its settings choose one."""
    program = Program(
        name=text.replace("/", "_"),
        package=f"./{text}",
        import_path="x",
        linker_flags=(text,),
        stamps=(Stamp(variable=text.replace("'", ""), at=1),),
    )
    sources = msgspec.structs.replace(API.sources, flags=(f"-tags={text}",), environment=(("GOPRIVATE", text),))
    return msgspec.structs.replace(
        API,
        image=text,
        name=text,
        programs=(program,),
        arguments=(text,),
        sources=sources,
        runs=msgspec.structs.replace(API.runs, environment=(("WORD", text),)),
    )


def argv_is_the_text(folder: Path, text: str) -> None:
    application = hostile(text)
    program = application.programs[0]
    written(folder, application)
    programs = recorded(folder)
    programs.forget()
    done = make(folder, "build", "image", "run", PATH=programs.path)
    assert done.returncode == 0, done.stderr
    words = [one for one in programs.words() if one[:2] not in (("wherry", "plan"), ("wherry", "logs"))]
    name, folder_of_main = text.rpartition("/")[2], os.path.normpath(text)
    main = f"./{folder_of_main}" if folder_of_main.split("/")[0] not in (".", "..") else folder_of_main
    flags = f"-ldflags={linked((text,))} '-X={program.stamps[0].variable}=1.4.0'"
    assert words == [
        ("go", "build", f"-tags={text}", flags, "-o", f"bin/{program.name}", program.package),
        ("wherry", "build", main, "-t", f"{text}:{{version}}"),
        ("wherry", "run", "-d", "--name", name, "-p", "8080:8080", main),
    ]
    assert programs.calls[1].variables["GOPRIVATE"] == text


@pytest.mark.parametrize("text", [*BACKSLASHES, NASTY.replace('"', "").replace("'", ""), "it's", 'a "b"'])
def test_programs_get_texts_as_they_are(text: str, tmp_path: Path) -> None:
    argv_is_the_text(tmp_path, text)


@given(text=ONE_LINE)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_programs_get_any_text_of_one_line_as_it_is(text: str, tmp_path: Path) -> None:
    try:
        linked((text,))
    except UsageError:
        return
    if os.path.normpath(text).startswith(("/", ".")):
        return
    argv_is_the_text(tmp_path, text)


def test_a_word_that_go_cannot_quote_is_refused() -> None:
    with pytest.raises(UsageError, match="a blank and both quotes"):
        files((hostile(HOSTILE.replace("\n", " ").replace("\r", "")),), CHOICE)


@pytest.mark.parametrize("text", [HOSTILE, "a\nb", "a\rb", "a\0b", "\x7f"])
def test_a_text_of_several_lines_is_refused_before_anything_is_made(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        files((msgspec.structs.replace(API, image=text),), CHOICE)
    assert caught.value.name == "bad-text"
    assert caught.value.where[0].startswith("generate.image = ")


@pytest.mark.parametrize(
    ("application", "setting"),
    [
        (msgspec.structs.replace(API, arguments=("a\tb",)), "image.args"),
        (
            msgspec.structs.replace(API, runs=msgspec.structs.replace(API.runs, environment=(("A", "a\tb"),))),
            "image.env",
        ),
        (msgspec.structs.replace(API, sources=msgspec.structs.replace(API.sources, flags=("-a\tb",))), "build.flags"),
        (
            msgspec.structs.replace(
                API, sources=msgspec.structs.replace(API.sources, environment=(("GOFLAGS", "a\tb"),))
            ),
            "build.env",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_bad_text_is_told_with_its_setting(application: Application, setting: str) -> None:
    with pytest.raises(UsageError) as caught:
        files((application,), CHOICE)
    assert f"{setting} cannot be written into a Makefile: it has the sign U+0009" == caught.value.message
    assert caught.value.where[0].startswith(f"{setting} = ")
    assert "line break" not in caught.value.why


def test_names_that_are_no_targets_are_refused_beside_others() -> None:
    odd = msgspec.structs.replace(JOBS, name="jobs: evil")
    with pytest.raises(UsageError, match="cannot be part of a target's name"):
        files((API, odd), CHOICE)
    with pytest.raises(UsageError, match="would be called shop-api"):
        files((API, msgspec.structs.replace(API, name="team/shop-api")), CHOICE)


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words],
        cwd=folder, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"},
    )  # fmt: skip
    return done.stdout


def repository(folder: Path, *tags: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    written(folder, API)
    (folder / ".gitignore").write_text("/programs\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    for tag in tags:
        git(folder, "tag", tag)
    return folder


@pytest.mark.parametrize(
    ("tags", "version"),
    [
        (("v1.4.0",), "1.4.0"),
        (("lib/v9.9.9", "v1.4.0"), "1.4.0"),
        (("v1.4.0-rc.1",), "1.4.0-rc.1"),
        (("v1$(touch${IFS}pwned)`touch${IFS}pwned`;id",), "1$(touch${IFS}pwned)`touch${IFS}pwned`;id"),
        (("v'\"#$$x",), "'\"#$$x"),
    ],
)  # fmt: skip
def test_without_wherry_the_version_is_gits_word_and_never_code(
    tags: tuple[str, ...], version: str, tmp_path: Path
) -> None:
    folder = repository(tmp_path / "it", *tags)
    programs = recorder(folder / "programs", "docker", "go")
    done = make(folder, "version", "build", "image-docker", PATH=programs.path, WHERRY="/bin/false")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == version
    assert not (folder / "pwned").exists()
    go, docker = programs.words()
    assert go[3] == "-buildvcs=true"
    assert go[4] == f"-ldflags=-w '-X=main.version={version}'"
    assert f"VERSION={version}" in docker
    assert "SOURCE_DATE_EPOCH=1767323045" in docker
    assert docker[-3] == "-t"
    assert set(docker[-2].rpartition(":")[2]) <= set("abcdefghijklmnopqrstuvwxyzIFS0123456789.-_")


def test_a_version_without_commits_or_git_is_still_one(tmp_path: Path) -> None:
    written(tmp_path, API)
    assert make(tmp_path, "version", WHERRY="/bin/false").stdout == "0.0.0\n"


def test_a_changed_tree_is_not_pushed_unless_forced(tmp_path: Path) -> None:
    folder = repository(tmp_path / "it", "v1.4.0")
    (folder / ".gitignore").write_text("/programs\n/more\n")
    programs = recorder(folder / "programs", "wherry", "go", answers=((("wherry", "plan"), "1.4.0+dirty\n", 0),))
    refused = make(folder, "push", PATH=programs.path)
    assert refused.returncode == 2
    assert "no commit describes these files" in refused.stderr
    assert not [one for one in programs.words() if one[:2] != ("wherry", "plan")], "told before anything is tested"
    assert make(folder, "push", "FORCE=1", PATH=programs.path).returncode == 0
    assert programs.words()[-1] == (
        "wherry", "build", "./cmd/api", "-t", "registry.example.com/shop/shop-api:{version}",
        "--platform", "linux/amd64,linux/arm64", "--push",
    )  # fmt: skip


@pytest.mark.parametrize("started", [False, True])
def test_what_is_in_no_commit_is_not_pushed_unless_forced(started: bool, tmp_path: Path) -> None:
    """Outside of git, and before the first commit, where wherry's own word is `latest`."""
    written(tmp_path, API)
    if started:
        git(tmp_path, "init", "-q")
    programs = recorder(tmp_path / "programs", "wherry", "go", answers=((("wherry", "plan"), "latest\n", 0),))
    refused = make(tmp_path, "push", PATH=programs.path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert refused.returncode == 2
    assert refused.stderr.startswith("no commit describes these files, so no version does: commit them first, or FORCE")
    assert not programs.words()
    assert make(tmp_path, "push", "FORCE=1", PATH=programs.path).returncode == 0
    assert programs.words()[-1][-1] == "--push"


def test_a_container_of_an_earlier_run_is_told_and_stopped(tmp_path: Path) -> None:
    written(tmp_path, API)
    programs = recorder(tmp_path / "programs", "wherry")
    again = make(tmp_path, "run", PATH=programs.path)
    assert again.returncode == 2
    assert again.stderr.startswith("shop-api is there from an earlier run: make stop\n")
    assert programs.words() == [LOOKED]
    programs.forget()
    assert make(tmp_path, "stop", PATH=programs.path).returncode == 0
    assert programs.words() == [LOOKED, ("wherry", "stop", "shop-api"), ("wherry", "rm", "shop-api")]


def test_push_comes_after_tests_and_their_failure_ends_it(tmp_path: Path) -> None:
    folder = repository(tmp_path / "it", "v1.4.0")
    failing = recorder(folder / "programs", "wherry", "go", answers=((("go", "test"), "FAIL\n", 1),))
    assert make(folder, "push", PATH=failing.path).returncode == 2
    assert failing.words()[-1] == ("go", "test", "./...")


@pytest.mark.parametrize(
    ("image", "code"), [("jobs", 2), ("team/jobs", 2), ("localhost/jobs", 0), ("reg.example/jobs", 0)]
)
def test_only_a_name_with_a_registry_is_pushed(image: str, code: int, tmp_path: Path) -> None:
    written(tmp_path, JOBS)
    programs = recorded(tmp_path)
    done = make(tmp_path, "push", f"IMAGE={image}", PATH=programs.path)
    assert done.returncode == code, done.stderr
    assert ("names no registry" in done.stderr) == bool(code)


def test_of_several_images_the_one_without_a_registry_says_how_it_alone_is_pushed(tmp_path: Path) -> None:
    written(tmp_path, API, JOBS)
    (tmp_path / "services/jobs").mkdir(parents=True)
    programs = recorded(tmp_path)
    done = make(tmp_path, "push-jobs", PATH=programs.path)
    (said,) = re.findall(r"no registry: make (\S+) ([^\s;]+)", done.stderr)
    assert make(tmp_path, *said, PATH=programs.path).returncode == 0
    assert {"-t", "--push"} < set(programs.words()[-1])


def test_clean_takes_away_only_what_build_has_made(tmp_path: Path) -> None:
    written(tmp_path, API)
    (tmp_path / ".gitignore").write_text("*.test\n")
    (tmp_path / "api").write_text("made")
    kept = {"Makefile", ".gitignore", "programs"}
    programs = recorded(tmp_path)
    assert make(tmp_path, "build", "clean", "OUT=.", PATH=programs.path).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / ".gitignore").read_text() == "*.test\n"
    assert make(tmp_path, "build", PATH=programs.path).returncode == 0
    assert (tmp_path / "bin/.gitignore").read_text() == "*\n"
    assert make(tmp_path, "clean", PATH=programs.path).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_lint_names_files_that_gofmt_would_change(tmp_path: Path) -> None:
    need("go")
    written(tmp_path, API)
    (tmp_path / "go.mod").write_text("module example.com/a\n\ngo 1.24\n")
    (tmp_path / "ugly name.go").write_text("package  a\n")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/other.go").write_text("package  b\n")
    done = make(tmp_path, "lint", STATICCHECK="none", HOME=os.environ["HOME"])
    assert done.returncode == 2
    assert "ugly name.go" in done.stderr
    assert "other.go" not in done.stderr
