"""What the plan says to Go, done by the real Go."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.planning import inferred, inputs, project
from tests.support.tools import need
from wherry.model.plan import Compilation, Plan
from wherry.model.project import CgoUse, Main, Module
from wherry.plan.make import make_plan

MODULE = "example.com/two"
GO = 'package main\n\nvar version = "none"\n\nfunc main() { println(version) }\n'
C = 'package main\n\n// int three(void) { return 3; }\nimport "C"\n\nfunc main() { println(C.three()) }\n'


def planned(root: Path, toml: str, *mains: Main) -> Plan:
    (root / "go.mod").write_text(f"module {MODULE}\n\ngo 1.24\n")
    modules = (Module(path=MODULE, directory=".", go="1.24"),)
    known = project(*mains, root=str(root), working_directory=str(root), modules=modules)
    return make_plan(inputs(toml, project=known, packages=("./...",), programs=(("cc", "/usr/bin/cc"),)))


def source(root: Path, name: str, text: str, **more: Any) -> Main:
    folder = root / "cmd" / name
    folder.mkdir(parents=True)
    (folder / "main.go").write_text(text)
    return Main(
        **{"import_path": f"{MODULE}/cmd/{name}", "name": name, "module": MODULE, "directory": f"cmd/{name}", **more}
    )


def build(one: Compilation, out: Path) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "GOCACHE") if name in os.environ} | dict(
        one.environment
    )
    words = ["go", "build", *one.flags, f"-o={out}/", "--", *(target.import_path for target in one.targets)]
    done = subprocess.run(words, cwd=one.directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def says(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stderr.strip()


@pytest.mark.e2e
def test_each_main_is_linked_with_its_own_flags_in_one_build(tmp_path: Path) -> None:
    need("go")
    first = source(tmp_path, "first", GO, inferred=inferred(("version-variable", "main.version", "found")))
    second = source(tmp_path, "second", GO)
    made = planned(
        tmp_path, "[main.second.build]\nldflags = [\"-X 'main.version=a b'\"]\nstrip = 'all'\n", first, second
    )
    (one,) = made.compilations
    build(one, tmp_path / "out")
    assert says(tmp_path / "out/first") == "1.4.0"
    assert says(tmp_path / "out/second") == "a b"
    assert (tmp_path / "out/second").stat().st_size < (tmp_path / "out/first").stat().st_size


@pytest.mark.e2e
def test_c_code_is_linked_statically_for_static_bases(tmp_path: Path) -> None:
    need("go", "cc", "readelf")
    main = source(tmp_path, "c", C, cgo=(CgoUse(import_path=f"{MODULE}/cmd/c"),))
    (one,) = planned(tmp_path, "", main).compilations
    build(one, tmp_path / "out")
    assert says(tmp_path / "out/c") == "3"
    headers = subprocess.run(["readelf", "-lW", tmp_path / "out/c"], capture_output=True, text=True, check=True).stdout
    assert "INTERP" not in headers
