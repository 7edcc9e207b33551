"""What Go itself lists is recorded: real modules, the real `go list`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import need
from wherry.cache.noop.collect import collect
from wherry.cache.noop.inputs import Inputs
from wherry.cache.noop.sources import source_inputs
from wherry.formats import golisting
from wherry.formats.golisting import Package
from wherry.model.project import Main, Module, Project
from wherry.model.toolchain import Toolchain

EXAMPLES = Path(__file__).parents[4] / "examples"


def toolchain(root: str, *, modules: str = "/none") -> Toolchain:
    go = shutil.which("go") or ""
    environment = (("GOMODCACHE", modules),)
    return Toolchain(
        go=go, version="go1.26", root=root, origin="path", host_architecture="amd64", environment=environment
    )


def listed(folder: Path, *packages: str) -> tuple[Package, ...]:
    fields = ",".join(golisting.FIELDS)
    done = subprocess.run(
        ["go", "list", "-deps", f"-json={fields}", *packages], cwd=folder, capture_output=True, check=True
    )
    return golisting.parse(done.stdout)


def goroot() -> str:
    return subprocess.run(["go", "env", "GOROOT"], cwd="/", capture_output=True, check=True, text=True).stdout.strip()


def project(
    root: Path, *modules: Module, workspace: str = "", remote: str = "", mains: tuple[Main, ...] = ()
) -> Project:
    return Project(
        root=str(root), working_directory=str(root), modules=modules, workspace=workspace, remote=remote, mains=mains
    )


def found(inputs: Inputs) -> dict[str, str]:
    return collect(inputs, frozenset(), os.environ["PATH"])


@pytest.fixture(name="embedding")
def embed_assets(tmp_path: Path) -> Path:
    need("go")
    shutil.copytree(EXAMPLES / "embed-assets", tmp_path / "app")
    return tmp_path / "app"


def test_every_file_that_go_lists_is_an_input(embedding: Path) -> None:
    root, packages = goroot(), listed(embedding, ".")
    paths = found(
        source_inputs(project(embedding, Module(path="m", directory=".")), packages, toolchain(root), {"HOME": "/h"})
    )
    files = [f"{one.dir}/{name}" for one in packages for name in (*one.go_files, *one.embed_files)]
    assert len(files) > 100
    assert [path for path in files if path not in paths] == []
    assert {path for path in paths if path.startswith(root) and paths[path] == ""} <= {shutil.which("go")}
    assert {str(path) for path in embedding.rglob("*") if path.is_dir() and "static" in str(path)} <= set(paths)
    assert {str(embedding.parent / "go.work"), "/go.work", f"{root}/VERSION", "/h/.config/go/env"} <= set(paths)


def test_a_workspace_counts_with_all_its_modules(tmp_path: Path) -> None:
    need("go")
    shutil.copytree(EXAMPLES / "workspace", tmp_path / "w")
    app, greeting = Module(path="a", directory="app"), Module(path="g", directory="greeting")
    inputs = source_inputs(
        project(tmp_path / "w", app, greeting, workspace="go.work"),
        listed(tmp_path / "w/app", "."),
        toolchain(goroot()),
        {},
    )
    paths = found(inputs)
    wanted = (
        "go.work",
        "app/go.mod",
        "greeting/go.mod",
        "greeting/go.sum",
        "greeting/greeting.go",
        "app/main.go",
        "greeting",
    )
    assert [name for name in wanted if str(tmp_path / "w" / name) not in paths] == []


def test_downloads_are_believed_as_go_believes_them(embedding: Path) -> None:
    """Packages in the module cache, and a standard library that is there or read-only, are known by what names them."""
    root = goroot()
    packages = listed(embedding, ".")
    downloaded = toolchain(root, modules=str(Path(root).parent))
    inputs = source_inputs(project(embedding), packages, downloaded, {})
    assert not [path for path in inputs.stamps if path.startswith(f"{root}/src/")]
    assert f"{root}/VERSION" in inputs.stamps
    everything = source_inputs(project(embedding), packages, toolchain(root, modules=str(embedding.parent)), {})
    assert not [tree for tree in everything.trees if tree.kind == "flat" and tree.root != str(embedding)]


def test_local_modules_elsewhere_count_as_a_whole(tmp_path: Path) -> None:
    for name in ("repo/go.mod", "lib/only_arm64/embed/file.txt", "lib/go.mod"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    module = Module(path="m", directory=".", local_replaces=("../lib",))
    inputs = source_inputs(project(tmp_path / "repo", module), (), toolchain(str(tmp_path)), {})
    assert str(tmp_path / "lib/only_arm64/embed/file.txt") in found(inputs)


def test_cgo_and_mains_elsewhere_are_unclear(tmp_path: Path) -> None:
    native = Package(import_path="m/native", dir=str(tmp_path), cgo_files=("a.go",))
    net = Package(import_path="net", dir=str(tmp_path), cgo_files=("a.go",), standard=True)
    go = toolchain(str(tmp_path))
    assert "cgo" in source_inputs(project(tmp_path), (native,), go, {}).unclear
    assert source_inputs(project(tmp_path), (net,), go, {}).unclear == ""
    main = Main(import_path="x", name="x", module="x", directory="../other")
    assert "outside" in source_inputs(project(tmp_path, mains=(main,)), (), go, {}).unclear


def test_a_module_by_version_has_no_folders_of_its_own(tmp_path: Path) -> None:
    inputs = source_inputs(project(tmp_path, remote="m@v1.0.0"), (), toolchain(str(tmp_path)), {})
    assert inputs.trees == ()


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"HOME": "/h"}, "/h/.config/go/env"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/go/env"),
        ({"HOME": "/h", "GOENV": "/my/env"}, "/my/env"),
    ],
)
def test_where_go_env_writes(variables: dict[str, str], path: str, tmp_path: Path) -> None:
    paths = source_inputs(project(tmp_path), (), toolchain(str(tmp_path)), variables).paths
    assert [one for one in paths if one.endswith("env") and not one.endswith("go.env")] == [path]


def test_a_file_that_go_env_would_not_read_is_none(tmp_path: Path) -> None:
    paths = source_inputs(project(tmp_path), (), toolchain(str(tmp_path)), {"GOENV": "off", "HOME": "/h"}).paths
    assert "/h/.config/go/env" not in paths
