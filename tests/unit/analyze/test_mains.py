"""Which mains are found, which are left out and why, and what a wrong word gets."""

from pathlib import Path

import pytest

from tests.support.analysis import MAIN, MODULE, look, write
from wherry.analyze.mains import name_of
from wherry.errors import WherryError
from wherry.model.project import Project

LIBRARY = "package lib\n"
REPOSITORY: dict[str, str | bytes] = {
    "go.mod": MODULE.replace("1.24", "1.25")
    + "\ntool example.com/app/cmd/stringer\nignore ./web\nignore (\n\tdist\n)\n",
    "cmd/api/main.go": MAIN,
    "cmd/api/main_test.go": "package main\n",
    "cmd/worker/v2/main.go": MAIN,
    "cmd/stringer/main.go": MAIN,
    "cmd/gen-docs/main.go": MAIN,
    "cmd/example/main.go": MAIN,
    "web/app/main.go": MAIN,
    "deep/dist/main.go": MAIN,
    "lib/lib.go": LIBRARY,
    "lib/gen.go": "//go:build ignore\n\n" + MAIN,
    "lib/testdata/prog/main.go": MAIN,
    "_old/main.go": MAIN,
    "examples/hello/main.go": MAIN,
    "hack/tools/main.go": MAIN,
    "internal/tool/main.go": MAIN,
    "test/e2e/main.go": MAIN,
    "windows/main_windows.go": MAIN,
    "tagged/main.go": "// +build special,!other\n\n" + MAIN,
    ".hidden/main.go": MAIN,
    "node_modules/x/main.go": MAIN,
    "other/go.mod": "module example.com/other\n",
    "other/cmd/two/main.go": MAIN,
}


def summary(project: Project) -> tuple[dict[str, str], dict[str, str]]:
    return {main.directory: main.name for main in project.mains}, {
        one.directory: one.reason for one in project.left_out
    }


@pytest.mark.parametrize("go", [True, False], ids=["with Go", "without Go"])
def test_the_whole_repository(go: bool, tmp_path: Path) -> None:
    """With and without Go the same: Go adds only what files do not say."""
    write(tmp_path, REPOSITORY)
    project = look(tmp_path, go=go)
    mains, left_out = summary(project)
    assert mains == {"cmd/api": "api", "cmd/example": "example", "cmd/worker/v2": "worker", "other/cmd/two": "two"}
    assert left_out == {
        "_old": "Go leaves out folders that begin with _",
        "cmd/gen-docs": "a generator (gen-docs/)",
        "cmd/stringer": "a tool of go.mod",
        "deep/dist": "go.mod ignores dist",
        "examples/hello": "an example (examples/)",
        "hack/tools": "a tool of the project itself (hack/)",
        "internal/tool": "internal to the project",
        "lib": "gen.go is run by hand or by go generate: //go:build ignore",
        "lib/testdata/prog": "test data",
        "tagged": "excluded by build tags: //go:build ((special && !other))",
        "test/e2e": "made for tests (test/)",
        "web/app": "go.mod ignores ./web",
        "windows": "excluded by its name: main_windows.go",
    }
    assert [(one.path, one.directory) for one in project.modules] == [
        ("example.com/app", "."),
        ("example.com/other", "other"),
    ]
    assert {main.module for main in project.mains} == {"example.com/app", "example.com/other"}


@pytest.mark.parametrize(
    "word", ["./examples/hello", "./hack/tools", "./internal/tool", "./lib/testdata/prog", "./cmd/stringer"]
)
def test_a_left_out_main_is_built_when_it_is_named(word: str, tmp_path: Path) -> None:
    write(tmp_path, REPOSITORY)
    assert [main.directory for main in look(tmp_path, word).mains] == [word.removeprefix("./")]


def test_whoever_stands_in_a_folder_has_named_it(tmp_path: Path) -> None:
    write(tmp_path, REPOSITORY)
    mains, left_out = summary(look(tmp_path / "examples/hello"))
    assert "examples/hello" in mains
    assert "hack/tools" in left_out


def test_patterns_reach_as_far_as_they_say(tmp_path: Path) -> None:
    write(tmp_path, REPOSITORY)
    assert set(summary(look(tmp_path, "./cmd/..."))[0]) == {"cmd/api", "cmd/example", "cmd/worker/v2"}
    assert set(summary(look(tmp_path, "./examples/..."))[0]) == {"examples/hello"}
    assert set(summary(look(tmp_path, "example.com/app/cmd/worker/..."))[0]) == {"cmd/worker/v2"}
    assert set(summary(look(tmp_path / "cmd", "./..."))[0]) == {"cmd/api", "cmd/example", "cmd/worker/v2"}


def test_import_paths_and_names(tmp_path: Path) -> None:
    write(tmp_path, REPOSITORY)
    assert set(summary(look(tmp_path, "example.com/app/cmd/api"))[0]) == {"cmd/api"}
    assert "cmd/api" in summary(look(tmp_path, "api"))[0], "a name is for the plan to find among all"


def test_tags_choose_files(tmp_path: Path) -> None:
    write(tmp_path, REPOSITORY)
    assert "tagged" in summary(look(tmp_path, tags=("special",)))[0]
    assert "tagged" not in summary(look(tmp_path, tags=("special", "other")))[0]


def test_two_mains_of_one_name_are_both_kept(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": MODULE, "a/server/main.go": MAIN, "b/server/main.go": MAIN})
    assert [main.name for main in look(tmp_path).mains] == ["server", "server"]


WRONG = {
    "not there": ("./cmd/nothing", "no-such-package", "./cmd/nothing does not exist"),
    "a file": ("./cmd/api/main.go", "not-a-package", "./cmd/api/main.go is a file, and wherry builds packages"),
    "empty": ("./empty", "no-sources", "./empty has no Go files"),
    "only tests": ("./onlytests", "no-sources", "./onlytests has only tests"),
    "a library": ("./lib", "not-main", "./lib is a library (package lib), not a program"),
    "excluded": ("./tagged", "no-go-files", "./tagged has no file for this platform and these build tags"),
    "outside": ("../elsewhere", "outside-project", "../elsewhere lies outside of the project"),
    "an unknown import path": (
        "example.com/nobody/knows/this",
        "no-such-package",
        "example.com/nobody/knows/this is neither in this project nor in its dependencies",
    ),
    "a mistyped import path": ("example.com/app/cmd/apo", "no-such-package", "example.com/app/cmd/apo does not exist"),
    "everything": ("all", "bad-package", "'all' cannot name packages"),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_wrong_word_has_its_own_answer(case: str, tmp_path: Path) -> None:
    """ux row 35: not there, not a program, excluded by tags and so on are different things."""
    word, name, message = WRONG[case]
    root = write(tmp_path / "root", {**REPOSITORY, "lib/lib.go": LIBRARY, "onlytests/x_test.go": "package x\n"})
    (root / "lib/gen.go").unlink()
    (root / "empty").mkdir()
    write(tmp_path / "elsewhere", {"go.mod": MODULE, "main.go": MAIN})
    with pytest.raises(WherryError) as raised:
        look(root, word)
    assert (raised.value.name, raised.value.message) == (name, message)
    assert raised.value.where
    assert raised.value.next


def test_all_wrong_words_read_differently() -> None:
    assert len({message for _, _, message in WRONG.values()}) == len(WRONG)


def test_a_mistyped_folder_suggests_the_right_one(tmp_path: Path) -> None:
    write(tmp_path, REPOSITORY)
    with pytest.raises(WherryError) as raised:
        look(tmp_path, "./cmd/apy")
    assert raised.value.next == ("did you mean ./cmd/api?",)


def test_sources_without_a_module(tmp_path: Path) -> None:
    write(tmp_path, {"main.go": MAIN, ".git/HEAD": ""})
    for words in ((), ("./...",), (".",)):
        with pytest.raises(WherryError) as raised:
            look(tmp_path, *words)
        assert raised.value.name == "no-go-mod"


def test_a_project_without_a_main_says_what_was_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": MODULE, "lib.go": LIBRARY, "examples/a/main.go": MAIN})
    project = look(tmp_path)
    assert project.mains == ()
    assert [one.directory for one in project.left_out] == ["examples/a"]


def test_a_syntax_error_is_for_the_compiler(tmp_path: Path) -> None:
    """Its place and words are Go's; here the main stays a main."""
    write(tmp_path, {"go.mod": MODULE, "main.go": "package main\n\nfunc main() { x := }\n"})
    assert [main.name for main in look(tmp_path).mains] == ["app"]


def test_imports_that_nobody_provides_are_for_the_compiler(tmp_path: Path) -> None:
    text = 'package main\n\nimport (\n\t_ "example.com/not/there"\n\t"net/http"\n)\n\n'
    text += 'func main() { http.ListenAndServe(":8080", nil) }\n'
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    main = look(tmp_path, variables=(("GOPROXY", "off"),)).mains[0]
    assert [one.value for one in main.inferred if one.kind == "port"] == ["8080"]


def test_embeds_of_own_packages(tmp_path: Path) -> None:
    web = 'package web\n\nimport "embed"\n\n//go:embed static\nvar FS embed.FS\n'
    main = 'package main\n\nimport _ "example.com/app/web"\n\nfunc main() {}\n'
    write(
        tmp_path,
        {"go.mod": MODULE, "cmd/x/main.go": main, "web/web.go": web, "web/static/a.css": "a", "web/static/b.js": "b"},
    )
    assert look(tmp_path).mains[0].embeds == ("web/static",)


EMBEDDING = """package main

import (
	"embed"

	_ "example.com/app/web"
)

//go:embed all:dist "a b/*.html" `[a-c]\\*.txt`
//go:embed dist
var FS embed.FS

func main() { FS.Open("x") }
"""


def test_embeds_are_those_of_the_sources_whatever_is_there(tmp_path: Path) -> None:
    """A clone has no dist/ yet, and Go cannot list the files of any pattern then."""
    web = EMBEDDING.replace("package main", "package web").replace('\n\n\t_ "example.com/app/web"', "")
    root = write(
        tmp_path, {"x[1]*/go.mod": MODULE, "x[1]*/main.go": EMBEDDING, "x[1]*/web/web.go": web, ".git/HEAD": ""}
    )
    patterns = ("[a-c]\\*.txt", "a b/*.html", "dist")
    expected = tuple(rf"x\[1]\*/{below}{one}" for below in ("", "web/") for one in patterns)
    assert look(root).mains[0].embeds == tuple(sorted(expected))
    for below in ("", "web/"):
        write(root / "x[1]*" / below, {"dist/assets/a-1f3.js": "a", "a b/x.html": "b", "b*.txt": "c"})
    assert look(root).mains[0].embeds == tuple(sorted(expected))


def test_nothing_outside_and_nothing_that_go_refuses_is_embedded(tmp_path: Path) -> None:
    """Packages of other folders, and patterns that lead out of theirs."""
    main = EMBEDDING.replace("dist\nvar", "../up . /abs a//b ok\nvar").replace("app/web", "other")
    gomod = MODULE + "\nrequire example.com/other v0.0.0\n\nreplace example.com/other => ../other\n"
    write(tmp_path / "app", {"go.mod": gomod, "main.go": main, ".git/HEAD": ""})
    other = 'package other\n\nimport _ "embed"\n\n//go:embed dist\nvar X string\n'
    write(tmp_path / "other", {"go.mod": "module example.com/other\n\ngo 1.24\n", "other.go": other, "dist": ""})
    assert look(tmp_path / "app").mains[0].embeds == ("[a-c]\\*.txt", "a b/*.html", "dist", "ok")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *(("a.b/c", "c"), ("a.b/c/v2", "c"), ("a.b/c/v1", "v1"), ("a.b/c/v10", "c")),
        *(("v2", "v2"), ("a.b/c/vx", "vx"), ("gopkg.in/a.v2", "a.v2")),
    ],
)  # fmt: skip
def test_names_as_go_build_gives_them(path: str, name: str) -> None:
    assert name_of(path) == name
