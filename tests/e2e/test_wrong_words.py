"""A mistake in each option: one usage error that names the option as the user wrote it, with what to write instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.analysis import write
from tests.support.cli import wherry
from tests.support.refusals import Refusal, only, ways_on
from tests.support.tools import need

pytestmark = pytest.mark.e2e

GO_MOD = "module example.com/app\n\ngo 1.24\n"
MAIN = 'package main\n\nfunc main() { println("hello") }\n'
APP: dict[str, str | bytes] = {"go.mod": GO_MOD, "main.go": MAIN, "cmd/note": ""}

#: Words behind `wherry build`, the error's name, what it says.
EMPTY = ("--platform", "--base", "-t", "-o", "-C", "--set", "--toolchain", "--metadata-file")
WRONG: tuple[tuple[str, str, str], ...] = (
    *((f"{flag}|", "usage", f"{flag}'") for flag in EMPTY),
    ("|", "usage", "[PACKAGE]"),
    ("-j|0", "usage", "'--jobs'"),
    ("--base", "usage", "option '--base' requires an argument next wherry build --help"),
    ("-j|-1", "usage", "'--jobs'"),
    ("--platform|linux/amd46", "unknown-platform", "where --platform linux/amd46 next did you mean linux/amd64?"),
    ("--platform|linux/amd64,", "unknown-platform", "where --platform linux/amd64, next use for instance linux/amd64"),
    ("--base|UPPER", "bad-base", "where --base UPPER"),
    ("-t|UPPER", "bad-reference", "where -t UPPER"),
    ("-t|a:{x}", "bad-template", "where -t a:{x}"),
    ("-o|oci:", "bad-place", "where -o oci: next write it like oci:DIR"),
    ("-o|oci", "bad-place", "where -o oci next write oci:DIR"),
    ("-o|docker-daemon:UP", "bad-reference", "where -o docker-daemon:UP"),
    ("--toolchain|x", "bad-toolchain", "where --toolchain"),
    ("--pass-env|A=b", "usage", "'A=b' is no variable's name"),
    ("--pass-env|", "usage", "'--pass-env'"),
    ("--set|image.user", "bad-setting", "image.user gets no value where --set image.user next --set image.user=VALUE"),
    ("./cmd@latest", "bad-package", "versions stand behind module paths next wherry build ./cmd"),
    ("--set|image.user=x", "user-name", "where --set image.user"),
)


@pytest.mark.parametrize(("words", "name", "says"), WRONG, ids=[row[0] for row in WRONG])
def test_a_mistake_in_an_option_names_it(words: str, name: str, says: str, tmp_path: Path) -> None:
    assert says in refused(tmp_path, *words.split("|"), name=name).text


def test_a_bad_limit_of_the_cache_is_said_by_its_name(tmp_path: Path) -> None:
    root, home = write(tmp_path / "app", APP), tmp_path / "home"
    for words in ("--limit BAD", "--limit="):
        refusal = only(wherry("cache", "prune", *words.split(), home=home, cwd=root), *PRUNE[words])
        assert "--limit" in refusal.text
        assert "WHERRY_CACHE_LIMIT" not in refusal.text
    early = only(wherry("build", home=home, cwd=root, WHERRY_CACHE_LIMIT="x"), "bad-cache-limit", 2)
    assert early.rows("where") == ["WHERRY_CACHE_LIMIT=x"]
    assert not (home / "data").exists(), "said before anything is built"


MAINS: dict[str, str | bytes] = {
    "go.mod": GO_MOD,
    "cmd/api/main.go": MAIN,
    "cmd/worker/main.go": MAIN,
    "lib/lib.go": "package lib\n",
    "tools/gen/main.go": MAIN,
    "docs/notes": "",
}


@pytest.mark.parametrize(
    ("cwd", "words", "name"),
    [
        (".", "build", "several-mains"),
        ("docs", "build", "several-mains"),
        ("cmd", "build", "several-mains"),
        ("..", "build -C app/docs", "several-mains"),
        ("docs", "build ../lib", "not-main"),
        ("..", "build -C app ./lib", "not-main"),
        ("cmd", "build ./apy", "no-such-package"),
        ("docs", "build wroker", "no-such-main"),
    ],
)
def test_what_to_do_next_works_from_where_the_user_stands(cwd: str, words: str, name: str, tmp_path: Path) -> None:
    need("go")
    root, home = write(tmp_path / "app", MAINS), tmp_path / "home"
    here = Path(os.path.normpath(root / cwd))
    refusal = only(wherry(*words.split(), home=home, cwd=here), name, 3 if name == "not-main" else 2)
    steps = ways_on(refusal) or [
        ["build", step.removeprefix("did you mean ").rstrip("?")] for step in refusal.rows("next")
    ]
    for step in steps:
        done = wherry("plan", *step[1:], home=home, cwd=here)
        assert done.code == 0, f"{step}\n{done.stderr}"


@pytest.mark.parametrize("command", ["run", "prove", "profile", "diff --variants"])
def test_a_command_of_one_program_names_itself_and_no_pattern(command: str, tmp_path: Path) -> None:
    need("go")
    root, home = write(tmp_path / "app", MAINS), tmp_path / "home"
    refusal = only(wherry(*command.split(), home=home, cwd=root), "several-mains", 2)
    assert (refusal.rows("next"), refusal.rows("or")) == ([f"wherry {command} ./cmd/api"], [])
    verb, *rest = command.split()
    far = only(wherry(verb, "-C", "app", *rest, home=home, cwd=tmp_path), "several-mains", 2)
    assert far.rows("next") == [" ".join(("wherry", verb, "-C", "app", *rest, "./cmd/api"))]


@pytest.mark.parametrize("command", ["run", "prove", "profile", "diff --variants"])
def test_several_programs_of_the_settings_are_answered_alike(command: str, tmp_path: Path) -> None:
    need("go")
    settings = {"wherry.toml": 'packages = ["./cmd/api", "./cmd/worker"]\n'}
    root, home = write(tmp_path / "app", {**MAINS, **settings}), tmp_path / "home"
    name = "several-mains" if command.startswith("diff") else "several-images"
    refusal = only(wherry(*command.split(), home=home, cwd=root / "cmd"), name, 2)
    assert refusal.rows("next") == [f"wherry {command} ./api"]


def test_a_plan_of_several_programs_names_itself(tmp_path: Path) -> None:
    need("go")
    refusal = only(wherry("plan", home=tmp_path / "home", cwd=write(tmp_path / "app", MAINS)), "several-mains", 2)
    assert (refusal.rows("next"), refusal.rows("or")) == (["wherry plan ./cmd/api"], ["wherry plan ./..."])


def test_a_module_that_go_work_does_not_use_is_built_alone_as_its_error_says(tmp_path: Path) -> None:
    need("go")
    modules = {f"{name}/go.mod": f"module example.com/{name}\n\ngo 1.24\n" for name in ("app", "third")}
    mains = {f"{name}/main.go": MAIN for name in ("app", "third")}
    root = write(tmp_path / "app", {"go.work": "go 1.24\n\nuse ./app\n", **modules, **mains})
    home = tmp_path / "home"
    refusal = only(wherry("build", "./third", home=home, cwd=root), "not-in-workspace", 2)
    assert refusal.rows("or") == ["build it alone with GOWORK=off"]
    done = wherry("build", "./third", "-o", f"oci:{tmp_path}/out", home=home, cwd=root, GOWORK="off")
    assert (done.code, done.stdout.partition("@")[0]) == (0, "third:latest"), done.stderr


def test_a_library_is_answered_with_the_programs_there_are(tmp_path: Path) -> None:
    root = write(tmp_path / "app", MAINS)
    refusal = only(wherry("build", "./lib", home=tmp_path / "home", cwd=root), "not-main", 3)
    assert refusal.rows("why") == ["only a package main can be run; this project's are ./cmd/api, ./cmd/worker"]


def test_what_was_left_out_is_named_as_seen_from_here(tmp_path: Path) -> None:
    need("go")
    root = write(tmp_path / "app", MAINS)
    said = (
        wherry("plan", "./api", home=tmp_path / "home", cwd=root / "cmd").stdout
        + wherry("plan", "../...", home=tmp_path / "home", cwd=root / "cmd").stdout
    )
    assert "  ../tools/gen  a tool of the project itself (tools/)" in said


PRUNE = {"--limit BAD": ("bad-cache-limit", 2), "--limit=": ("usage", 2)}


def refused(folder: Path, *words: str, name: str) -> Refusal:
    """The usage error of `wherry build WORDS` in a small application."""
    need("go")
    root = write(folder / "app", APP)
    return only(wherry("build", *words, home=folder / "home", cwd=root), name, 2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("base", "wherry base needs one of lock, outdated, verify"),
        ("cache", "wherry cache needs one of df, prune"),
        ("base lck", "no such command 'lck'; did you mean lock?"),
        ("lock", "there is no command 'lock'; did you mean base lock?"),
    ],
)
def test_a_group_says_what_it_has(words: str, says: str, tmp_path: Path) -> None:
    done = wherry(*words.split(), home=tmp_path, cwd=tmp_path)
    assert done.code == 2
    assert done.stderr.splitlines()[0].partition(": ")[2] == says
