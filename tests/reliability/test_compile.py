"""Rows A01, A04 to A07, A12 and A13 of the reliability catalogue, at the place where Go is started."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.support.answers import say, serving
from tests.support.compiling import compilation, module, workplace
from tests.support.tools import need
from wherry.compile import compile_all
from wherry.errors import WherryError
from wherry.kit.goenv import go_environment
from wherry.model.binary import Binary
from wherry.model.plan import Compilation
from wherry.system.environment import environment
from wherry.system.processes import Processes
from wherry.system.programs import programs
from wherry.toolchain import find_toolchain

C_CODE = 'package main\n\n// #cgo {}\n// int one(void) {{ return 1; }}\nimport "C"\n\nfunc main() {{ C.one() }}\n'
MODULES = '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tignore = none\n'


class Trap:
    """A program that leaves a mark when somebody starts it."""

    def __init__(self, folder: Path) -> None:
        self.mark = folder / "SPRUNG"
        self.program = folder / "trap"
        folder.mkdir(parents=True, exist_ok=True)
        self.program.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.mark}\nexit 1\n')
        self.program.chmod(0o755)

    @property
    def sprung(self) -> str:
        return self.mark.read_text() if self.mark.exists() else ""


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def build(tmp_path: Path, what: Compilation, **variables: str) -> Binary:
    place = workplace(tmp_path / "work", root=Path(what.directory), variables=variables)
    (binary,) = compile_all((what,), place, Processes()).binaries
    return binary


def error_of(tmp_path: Path, what: Compilation, **variables: str) -> WherryError:
    with pytest.raises(WherryError) as caught:
        build(tmp_path, what, **variables)
    return caught.value


def hostile(folder: Path, trap: Trap) -> Path:
    """A git repository in which fsmonitor, hooks, filters and a submodule all want to start the trap on `git status`."""
    need("git")
    module(
        folder,
        {"a.txt": "x", ".gitattributes": "*.txt filter=evil\n*.md filter=more\n", "b.md": "x", ".gitmodules": MODULES},
    )
    git(folder, "init", "-q")
    git(folder, "init", "-q", "sub")
    (folder / "sub/file").write_text("x")
    git(folder / "sub", "add", ".")
    git(folder / "sub", "commit", "-q", "-m", "x")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "x")
    (folder / "more").write_text(f'[filter "more"]\n\tclean = {trap.program} more\n')
    for key, value in (
        ("core.fsmonitor", f"{trap.program} fsmonitor"), ("filter.evil.clean", f"{trap.program} clean"),
        ("include.path", "../more"), ("core.hooksPath", str(trap.program.parent)), ("diff.ignoreSubmodules", "none"),
        ("submodule.sub.ignore", "none"), ("core.pager", f"{trap.program} pager"),
    ):  # fmt: skip
        git(folder, "config", key, value)
    git(folder / "sub", "config", "core.fsmonitor", f"{trap.program} submodule")
    (trap.program.parent / "post-index-change").symlink_to(trap.program)
    for name in ("a.txt", "b.md", "sub/file"):
        os.utime(folder / name, (1, 1))
    return folder


def test_a01_stamping_starts_nothing_that_the_repository_names(tmp_path: Path, trap: Trap) -> None:
    folder = hostile(tmp_path / "repo", trap)
    what = msgspec.structs.replace(compilation(folder), flags=("-trimpath", "-buildvcs=true"))
    binary = build(tmp_path, what)
    assert trap.sprung == ""
    stamped = subprocess.run(["go", "version", "-m", binary.file], capture_output=True, text=True, check=True).stdout
    assert "vcs.revision=" in stamped


def test_a01_the_trap_would_spring(tmp_path: Path, trap: Trap) -> None:
    folder = hostile(tmp_path / "repo", trap)
    subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, check=False)
    assert {"fsmonitor", "clean", "more", "submodule"} <= set(trap.sprung.split())


@pytest.mark.parametrize(
    "directive",
    [
        "LDFLAGS: -Wl,-plugin,./evil.so",
        "CFLAGS: -fplugin=./evil.so",
        "LDFLAGS: -fuse-ld=./evil",
        "pkg-config: --log-file=LOG",
    ],
)
def test_a04_a05_without_cgo_no_source_reaches_a_compiler(directive: str, tmp_path: Path, trap: Trap) -> None:
    log = tmp_path / "LOG"
    folder = module(tmp_path / "repo", {"main.go": C_CODE.format(directive.replace("LOG", str(log)))})
    tools = {"CC": str(trap.program), "CXX": str(trap.program), "PKG_CONFIG": str(trap.program), "CGO_ENABLED": "1"}
    error = error_of(tmp_path, compilation(folder), **tools)
    assert error.name == "no-go-files"
    assert trap.sprung == ""
    assert not log.exists()


def test_a06_a_toolchain_line_downloads_nothing(tmp_path: Path) -> None:
    with serving(say(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")) as proxy:
        variables = {"GOPROXY": f"http://127.0.0.1:{proxy.port}", "GOTOOLCHAIN": "auto", "GOSUMDB": "off"}
        newer = module(tmp_path / "newer", {"go.mod": "module example.com/app\n\ngo 1.24\n\ntoolchain go1.99.0\n"})
        assert Path(build(tmp_path, compilation(newer), **variables).file).is_file()
        needs = module(tmp_path / "needs", {"go.mod": "module example.com/app\n\ngo 1.99.0\n\ntoolchain go1.99.0\n"})
        error = error_of(tmp_path, compilation(needs), **variables)
    assert error.name == "go-too-old"
    assert "1.99.0" in error.message
    assert proxy.seen == []


def test_a07_flags_and_settings_files_start_nothing(tmp_path: Path, trap: Trap) -> None:
    home = tmp_path / "home"
    settings = home / ".config/go/env"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"GOFLAGS=-toolexec={trap.program}\nCC={trap.program}\nGOTOOLCHAIN=auto\n")
    folder = module(tmp_path / "repo")
    file = tmp_path / "goenv"
    file.write_text(f"GOFLAGS=-toolexec={trap.program}\n")
    for variables in (
        {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")},
        {"GOENV": str(file)},
        {"GOFLAGS": f"-toolexec={trap.program}"},
        {"GOFLAGS": f"-overlay={file}"},
        {"GCCGO": str(trap.program), "GO_EXTLINK_ENABLED": "1", "GOROOT": str(tmp_path)},
    ):
        assert Path(build(tmp_path, compilation(folder), **variables).file).is_file()
        assert trap.sprung == ""


def test_a07_the_trap_would_spring(tmp_path: Path, trap: Trap) -> None:
    need("go")
    folder = module(tmp_path / "repo")
    variables = {**os.environ, "GOFLAGS": f"-toolexec={trap.program}"}
    subprocess.run(["go", "build", "-o", os.devnull, "."], cwd=folder, env=variables, capture_output=True, check=False)
    assert trap.sprung


def test_a13_programs_in_the_repository_and_odd_paths_are_not_used(
    tmp_path: Path, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("git")
    folder = module(tmp_path / "repo", {"json.py": "raise SystemExit(9)", "sitecustomize.py": "raise SystemExit(9)"})
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "x")
    (folder / "bin").mkdir()
    for name in ("go", "git", "gcc", "bin/go", "bin/git", "bin/gcc"):
        (folder / name).symlink_to(trap.program)
    monkeypatch.chdir(folder)
    what = msgspec.structs.replace(compilation(folder), flags=("-trimpath", "-buildvcs=true"))
    place = workplace(tmp_path / "work", root=folder)
    own = environment({**os.environ, "PATH": f".::bin:./bin:{folder}:{folder}/bin:{os.environ['PATH']}"})
    found = find_toolchain(own, which=programs(own.path, root=str(folder)), run=Processes())
    assert found == place.toolchain
    variables = go_environment(own, found.environment, root=str(folder))
    (binary,) = compile_all((what,), msgspec.structs.replace(place, environment=variables), Processes()).binaries
    assert Path(binary.file).is_file()
    assert trap.sprung == ""


@pytest.mark.parametrize("flag", ["--", "-o=/tmp/evil", "-C=/"])
def test_a12_a_package_that_begins_with_a_dash_is_no_package(flag: str, tmp_path: Path) -> None:
    what = compilation(module(tmp_path / "repo"))
    target = msgspec.structs.replace(what.targets[0], import_path=flag)
    assert error_of(tmp_path, msgspec.structs.replace(what, targets=(target,))).name == "not-a-package"
