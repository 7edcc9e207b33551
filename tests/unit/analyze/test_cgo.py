"""Which packages work only with cgo: found without a C compiler, and checked against `go build`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.analysis import MODULE, look, write
from tests.support.modules import publish
from tests.support.tools import need
from wherry.model.project import CgoUse, Main

C = 'package dep\n\n/*\nint one(void) { return 1; }\n*/\nimport "C"\n\nfunc One() int { return int(C.one()) }\n'
PURE = "//go:build !cgo\n\npackage dep\n\nfunc One() int { return 1 }\n"
USER = 'package main\n\nimport (\n\t"fmt"\n\n\t"example.com/app/dep"\n)\n\nfunc main() { fmt.Println(dep.One()) }\n'

#: name → (files of example.com/app/dep, beginning of the reason; empty: cgo is not needed)
CASES: dict[str, tuple[dict[str, str], str]] = {
    "only C": ({"c.go": C}, "all its files need cgo"),
    "a fallback": ({"c.go": C, "pure.go": PURE}, ""),
    "the rest uses what C declares": (
        {"c.go": C, "more.go": "package dep\n\nfunc Two() int { return One() + One() }\n"},
        "without cgo it does not compile: One is missing",
    ),
    "the importer uses what C declares": (
        {"c.go": C, "more.go": "package dep\n\nfunc Two() int { return 2 }\n"},
        "without cgo it has no One, which is used",
    ),
    "C for another system": ({"c_windows.go": C, "pure.go": PURE.replace("//go:build !cgo\n\n", "")}, ""),
    "C behind a tag": ({"c.go": "//go:build special\n\n" + C, "pure.go": PURE.replace("!cgo", "!special")}, ""),
    "a tag without C": (
        {"c.go": "//go:build cgo\n\npackage dep\n\nfunc One() int { return 1 }\n", "more.go": "package dep\n"},
        "without cgo it has no One, which is used",
    ),
    "assembly": (
        {
            "pure.go": "package dep\n\nfunc One() int { return one() }\n\nfunc one() int\n",
            "one_amd64.s": "",
            "one_arm64.s": "",
        },
        "",
    ),
}


def main_with(folder: Path, files: dict[str, str]) -> Main:
    write(folder, {"go.mod": MODULE, "main.go": USER, **{f"dep/{name}": text for name, text in files.items()}})
    return look(folder).mains[0]


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_and_the_place(name: str, tmp_path: Path) -> None:
    files, reason = CASES[name]
    uses = main_with(tmp_path, files).cgo
    assert [use.why for use in uses] == ([reason] if reason else [])
    if reason:
        assert uses[0].import_path == "example.com/app/dep"


@pytest.mark.parametrize("name", [name for name in CASES if name != "assembly"])
def test_go_agrees(name: str, tmp_path: Path) -> None:
    """With CGO_ENABLED=0, exactly those that need cgo do not build."""
    files, reason = CASES[name]
    main_with(tmp_path, files)
    variables = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}
    words = ["go", "vet", "-printf", "."]  # type-checks, and links nothing
    done = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == bool(reason), done.stderr


def test_the_place_is_where_the_project_imports_it(tmp_path: Path) -> None:
    need("go")
    proxy = tmp_path / "proxy"
    publish(
        proxy,
        "example.com/wrapper",
        "v1.0.0",
        {
            "w.go": 'package wrapper\n\nimport _ "example.com/clib"\n',
            "go.mod": "module example.com/wrapper\n\ngo 1.24\n\nrequire example.com/clib v1.0.0\n",
        },
    )
    publish(proxy, "example.com/clib", "v1.0.0", {"c.go": C})
    sums = "require (\n\texample.com/wrapper v1.0.0\n\texample.com/clib v1.0.0 // indirect\n)\n"
    store = 'package store\n\nimport (\n\t_ "strings"\n\n\t_ "example.com/wrapper"\n)\n'
    root = write(
        tmp_path / "app",
        {
            "go.mod": f"{MODULE}\n{sums}",
            "cmd/api/main.go": 'package main\n\nimport _ "example.com/app/store"\n\nfunc main() {}\n',
            "store/db.go": store,
        },
    )
    variables = (
        ("GOPROXY", f"file://{proxy}"),
        ("GOSUMDB", "off"),
        ("GOMODCACHE", str(tmp_path / "cache")),
        ("GOFLAGS", "-mod=mod -modcacherw"),
    )
    uses = look(root, "./cmd/api", variables=variables).mains[0].cgo
    assert [(use.import_path, str(use.place)) for use in uses] == [("example.com/clib", "store/db.go:6:2")]


def test_a_stub_that_compiles_and_fails_is_known(tmp_path: Path) -> None:
    """go-sqlite3 without cgo compiles; opening a database then fails."""
    stub = "//go:build !cgo\n\npackage sqlite3\n\nfunc Open() error { return nil }\n"
    real = '//go:build cgo\n\npackage sqlite3\n\nimport "C"\n\nfunc Open() error { return nil }\n'
    write(
        tmp_path,
        {
            "go.mod": MODULE
            + "\nrequire github.com/mattn/go-sqlite3 v1.14.0\nreplace github.com/mattn/go-sqlite3 => ./sqlite\n",
            "main.go": 'package main\n\nimport _ "github.com/mattn/go-sqlite3"\n\nfunc main() {}\n',
            "sqlite/go.mod": "module github.com/mattn/go-sqlite3\n",
            "sqlite/static_mock.go": stub,
            "sqlite/sqlite3.go": real,
        },
    )
    uses = look(tmp_path, ".").mains[0].cgo
    assert [use.import_path for use in uses] == ["github.com/mattn/go-sqlite3"]
    assert uses[0].why == "without cgo it compiles, but every Open fails"


def test_a_main_that_is_all_c(tmp_path: Path) -> None:
    """Go lists it as excluded; for us it is a main that needs cgo."""
    text = 'package main\n\nimport "C"\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":8080", nil) }\n'
    write(tmp_path, {"go.mod": MODULE, "cmd/x/main.go": text})
    main = look(tmp_path).mains[0]
    assert main.cgo == (
        CgoUse(import_path="example.com/app/cmd/x", place=main.cgo[0].place, why="all its files need cgo"),
    )
    assert str(main.cgo[0].place) == "cmd/x/main.go:3:8"
    assert [one.value for one in main.inferred if one.kind == "port"] == ["8080"]


def test_with_cgo_on_everything_with_c_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": MODULE, "main.go": USER, "dep/c.go": C, "dep/pure.go": PURE})
    assert [use.import_path for use in look(tmp_path, cgo=True).mains[0].cgo] == ["example.com/app/dep"]


def test_the_standard_library_never_needs_it(tmp_path: Path) -> None:
    text = 'package main\n\nimport (\n\t_ "net"\n\t_ "os/user"\n\t_ "runtime/cgo"\n)\n\nfunc main() {}\n'
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    assert look(tmp_path).mains[0].cgo == ()
