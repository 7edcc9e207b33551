"""A bare clone: the locks fit what is asked for, and ./test and ./demo say exactly what is missing."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+).*\\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
LOCKS = {"dev.txt": ["dev.in"], "go.txt": ["go.in"], "node.txt": ["node.in"]}


def asked_for(lock: str) -> list[str]:
    """The requirements that `lock` was made from."""
    lines = [line for name in LOCKS[lock] for line in (ROOT / "requirements" / name).read_text().splitlines()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = {"dev.txt": project["dependencies"], "go.txt": project["optional-dependencies"]["go"]}
    return [*own.get(lock, ()), *(line for line in lines if line and not line.startswith("#"))]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_what_is_asked_for(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    pinned = {match[1]: match[2] for match in PIN.finditer(text)}
    for requirement in map(Requirement, asked_for(lock)):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), (
            f"{requirement}: run make lock"
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_all_by_hash_and_name_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    rest = [line for line in PIN.sub("", text).splitlines() if not line.lstrip().startswith("#")]
    assert rest == []
    assert "://" not in text


def test_the_build_backend_is_locked() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    names = {match[1] for match in PIN.finditer((ROOT / "requirements/dev.txt").read_text())}
    assert {Requirement(text).name.replace("_", "-") for text in build} <= names


def packages() -> list[list[str]]:
    """Each row's columns: package, proof, for whom, must or may, why."""
    lines = (ROOT / "scripts/packages.txt").read_text().splitlines()
    return [line.split(maxsplit=4) for line in lines if line and not line.startswith("#")]


def test_every_package_has_a_proof_and_a_reason() -> None:
    rows = packages()
    assert rows
    assert len({row[0] for row in rows}) == len(rows)
    for row in rows:
        assert len(row) == 5, row
        assert row[2] in ("all", "demo", "test", "bench", "oracles"), row
        assert row[3] in ("must", "may"), row


#: What the smallest Debian has (debootstrap --variant=minbase).
DEBIAN = {"chroot", "dpkg-deb", "findmnt", "gzip", "mke2fs", "mount", "python3", "setpriv", "tar", "taskset", "umount"}
DEBIAN |= {"unshare", "useradd", "userdel"}
#: What else comes with a row of packages.txt, and what scripts/setup.sh brings as a wheel or builds.
BROUGHT = {"cc": "gcc", "readelf": "gcc", "containerd": "docker.io", "ctr": "docker.io", "docker-proxy": "docker.io"}
SET_UP = {"go", "gofmt", "hadolint", "crane"}


def needed(file: Path) -> set[str]:
    """The programs that a file of tests asks for."""
    calls = (one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.Call))
    words = (one.args for one in calls if isinstance(one.func, ast.Name) and one.func.id == "need")
    return {one.value for args in words for one in args if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_what_tests_need_is_installed() -> None:
    """A machine on which somebody works has much that no package here brings."""
    rows = packages()
    names, proofs = {row[0] for row in rows}, {row[1] for row in rows}
    brought = DEBIAN | SET_UP | proofs | {one for one, package in BROUGHT.items() if package in names}
    missing = {one: file.name for file in (ROOT / "tests").rglob("*.py") for one in needed(file) - brought}
    assert missing == {}


def machine(folder: Path, *, python: str) -> dict[str, str]:
    """The environment of a plain user on a Debian with coreutils and `python` and nothing else."""
    for name in ("bash", "cat", "cut", "dirname", "env", "id", "mktemp", "rm"):
        (folder / name).symlink_to(shutil.which(name) or "")
    for name, text in (("python3", python), ("id", "echo 1000"), ("apt-get", "exit 99")):
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder), "HOME": str(folder), "CI": "true", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}


@pytest.mark.parametrize("command", ["test", "demo"])
def test_an_old_python_is_said(command: str, tmp_path: Path) -> None:
    environment = machine(tmp_path, python="exit 1")
    done = subprocess.run([ROOT / command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("error: no Python 3.11 or newer was found\n  next  ")


def test_a_user_who_may_not_install_is_told_the_command(tmp_path: Path) -> None:
    environment = machine(tmp_path, python=f'exec {sys.executable} "$@"')
    done = subprocess.run([ROOT / "test"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    error, following = done.stderr.splitlines()
    assert error.startswith("error: these packages are missing: ")
    assert following.startswith("  next  sudo apt-get install -y --no-install-recommends ")
    assert "git" in error.split()
    assert "podman" in following.split()
    assert "qemu-system-x86" not in following.split()


def test_second_opinions_need_more(tmp_path: Path) -> None:
    environment = machine(tmp_path, python=f'exec {sys.executable} "$@"')
    done = subprocess.run([ROOT / "test", "--oracles"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert {"podman", "qemu-system-x86"} <= set(done.stderr.splitlines()[1].split())
