"""Where a project begins, and which modules it has."""

from pathlib import Path

import pytest

from tests.support.analysis import MAIN, MODULE, look, repository, write
from wherry.analyze.layout import locate
from wherry.errors import WherryError
from wherry.model.project import Project

OTHER = "module example.com/other\n\ngo 1.24\n"


def test_the_repository_is_the_root(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": OTHER, "repo/.git/HEAD": "", "repo/app/go.mod": MODULE, "repo/app/cmd/x/main.go": MAIN})
    layout = locate(str(tmp_path / "repo/app/cmd/x"))
    assert layout.root == str(tmp_path / "repo")
    assert layout.module == str(tmp_path / "repo/app")
    assert [one.directory for one in layout.modules] == ["app"]


def test_without_git_the_workspace_and_then_the_outermost_module(tmp_path: Path) -> None:
    write(tmp_path, {"a/go.mod": OTHER, "a/b/go.mod": MODULE, "a/b/c/x.go": MAIN})
    assert locate(str(tmp_path / "a/b/c")).root == str(tmp_path / "a")
    write(tmp_path, {"go.work": "go 1.24\nuse ./a/b\n"})
    layout = locate(str(tmp_path / "a/b/c"))
    assert (layout.root, layout.workspace, layout.used) == (str(tmp_path), str(tmp_path / "go.work"), ("a/b",))
    assert locate(str(tmp_path / "a/b/c"), workspace="off").workspace == ""


def test_a_folder_without_anything_is_its_own_root(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    layout = locate(str(tmp_path / "x"))
    assert layout.root == layout.working_directory == str(tmp_path / "x")
    assert layout.modules == ()


def test_the_lines_of_a_module(tmp_path: Path) -> None:
    text = "module example.com/app\n\ngo 1.25.3\ntoolchain go1.26.8\n"
    text += "replace a.b/c => ./c\nreplace a.b/d => ../d\nreplace a.b/e => a.b/f v1.0.0\n"
    write(tmp_path, {".git/HEAD": "", "app/go.mod": text, "app/vendor/modules.txt": ""})
    module = locate(str(tmp_path / "app")).modules[0]
    assert (module.go, module.toolchain, module.vendored) == ("1.25.3", "go1.26.8", True)
    assert module.local_replaces == ("app/c", "d")


def said(project: Project) -> list[tuple[str, str]]:
    """Folder and way on of each module that go.work leaves out."""
    return [(one.subject, one.next) for one in project.findings if one.name == "not-in-workspace"]


def test_a_workspace_is_listed_once_and_builds_from_its_folder(tmp_path: Path) -> None:
    main = 'package main\n\nimport "example.com/other/lib"\n\nfunc main() { lib.Serve() }\n'
    library = 'package lib\n\nimport "net/http"\n\nfunc Serve() { http.ListenAndServe(":8080", nil) }\n'
    repository(
        tmp_path,
        {
            "go.work": "go 1.24\nuse (\n\t./app\n\t./other\n)\n",
            "app/go.mod": MODULE,
            "app/main.go": main,
            "other/go.mod": OTHER,
            "other/lib/lib.go": library,
            "third/go.mod": "module example.com/third\n",
            "third/main.go": MAIN,
        },
    )
    project = look(tmp_path)
    assert project.workspace == "go.work"
    assert [main.import_path for main in project.mains] == ["example.com/app"]
    assert [one.place.file for one in project.mains[0].inferred if one.kind == "port"] == ["other/lib/lib.go"]
    assert [(one.directory, one.reason) for one in project.left_out] == [
        ("third", "go.work does not use its module example.com/third")
    ]
    assert said(project) == [("third", "go work use ./third")]
    assert said(look(tmp_path / "app")) == [], "seen from another module it is none of the user's business"
    with pytest.raises(WherryError, match=r"which go\.work does not use"):
        look(tmp_path, "./third")
    assert [main.name for main in look(tmp_path, "./third", workspace="off").mains] == ["third"]


def test_a_workspace_below_the_root_is_told(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"go.mod": OTHER, "sub/go.work": "go 1.24\nuse ./app\n", "sub/app/go.mod": MODULE}
    root = repository(tmp_path, {**files, "main.go": MAIN, "sub/app/main.go": MAIN})
    told = {one.name: one.next for one in look(root, "./...").findings}
    assert told == {"nested-workspace": "wherry build -C sub"}
    assert look(root, ".").findings == look(root / "sub", "./...").findings == ()


def test_a_vendored_module_needs_no_network(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "go.mod": MODULE + "\nrequire example.com/dep v1.0.0\n",
            "main.go": 'package main\n\nimport _ "example.com/dep"\n\nfunc main() {}\n',
            "vendor/modules.txt": "# example.com/dep v1.0.0\n## explicit; go 1.24\nexample.com/dep\n",
            "vendor/example.com/dep/dep.go": "package dep\n",
            "vendor/example.com/dep/cmd/x/main.go": MAIN,
        },
    )
    project = look(tmp_path, variables=(("GOPROXY", "off"),))
    assert project.modules[0].vendored
    assert [main.directory for main in project.mains] == ["."]
    assert project.left_out == ()


def test_sources_outside_are_told(tmp_path: Path) -> None:
    """A10: a replace that climbs, and a link inside that leads out."""
    write(tmp_path / "dep", {"go.mod": "module example.com/dep\n", "dep.go": "package dep\n"})
    text = MODULE + "\nrequire example.com/dep v0.0.0\nreplace example.com/dep => ../dep\n"
    repository(
        tmp_path / "repo", {"go.mod": text, "main.go": 'package main\n\nimport _ "example.com/dep"\n\nfunc main() {}\n'}
    )
    found = [one for one in look(tmp_path / "repo").findings if one.name == "outside-sources"]
    assert len(found) == 1
    assert str(tmp_path / "dep") in found[0].message
    (tmp_path / "repo/in").symlink_to(tmp_path / "dep")
    (tmp_path / "repo/go.mod").write_text(text.replace("../dep", "./in"))
    assert [one.name for one in look(tmp_path / "repo").findings if one.name == "outside-sources"]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"go.mod": "modul x\n"}, "go-mod"),
        ({"go.mod": MODULE, "go.work": "go 1.24\nuse ./nothing\n"}, "go-mod"),
        ({"go.mod": MODULE, "go.work": "go 1.24\nuse (\n"}, "go-mod"),
        ({"go.mod": MODULE + "\nrequir x v1.0.0\n"}, "go-mod"),
        ({"go.mod": "module example.com/app\n\ngo 9.99\n"}, "go-too-old"),
        ({"go.mod": MODULE + "\nrequire example.com/x not-a-version\n"}, "go-mod"),
    ],
)
def test_files_that_go_refuses(files: dict[str, str | bytes], name: str, tmp_path: Path) -> None:
    write(tmp_path, {"main.go": MAIN, **files})
    with pytest.raises(WherryError) as raised:
        look(tmp_path)
    assert raised.value.name == name
    assert raised.value.where


def test_a_broken_module_elsewhere_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", "go.mod": MODULE, "main.go": MAIN, "bad/go.mod": "modul", "bad/main.go": MAIN})
    write(tmp_path, {"testdata/mod/go.mod": "modul"})
    project = look(tmp_path)
    assert [main.name for main in project.mains] == ["app"]
    assert next(one.reason for one in project.left_out if one.directory == "bad").startswith(
        "its go.mod cannot be read"
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WherryError) as raised:
        look(tmp_path / "nowhere")
    assert raised.value.name == "no-such-folder"
    assert raised.value.next == (f"ls {tmp_path}",)


def test_a_folder_with_a_letter_too_few(tmp_path: Path) -> None:
    (tmp_path / "services/jobs").mkdir(parents=True)
    for said, meant in (("services/job", "services/jobs"), ("service/jobs", "services")):
        with pytest.raises(WherryError) as raised:
            look(tmp_path / said)
        assert raised.value.next == (f"-C {tmp_path}/{meant}",)
