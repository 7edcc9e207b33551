"""Programs that cannot start are found before anything is started; what cannot be told is let go on."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from wherry.errors import WherryError
from wherry.model.container import Bind, Container, Tmpfs, User
from wherry.oci.platform import Platform
from wherry.runtime import program
from wherry.runtime.program import located, refuse_unstartable

MACHINE = {"x86_64": 62, "aarch64": 183}[os.uname().machine]


def elf(machine: int = MACHINE, interpreter: str = "") -> bytes:
    """The head of a 64-bit program."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1)
    kind = 3 if interpreter else 1
    return head.ljust(64, b"\0") + struct.pack("<IIQQQQQQ", kind, 5, 120, 0, 0, 0, 0, 0) + interpreter.encode() + b"\0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/app").mkdir(parents=True)
    put(tmp_path / "root/app/good", elf())
    return tmp_path / "root"


def put(path: Path, data: bytes, mode: int = 0o755) -> None:
    path.write_bytes(data)
    path.chmod(mode)


def container(*arguments: str, **fields: object) -> Container:
    common: dict[str, object] = {
        "name": "x",
        "image": "x",
        "platform": Platform(architecture="amd64"),
        "arguments": arguments,
        "environment": (("PATH", "/bin:/app"),),
        "user": User(uid=65532, gid=65532),
    }
    return Container(**(common | fields))  # type: ignore[arg-type]


def refused(root: Path, made: Container) -> str:
    """The error's name; empty: none."""
    try:
        refuse_unstartable(made, root)
    except WherryError as error:
        return error.name
    return ""


def test_a_program_by_path_by_name_and_by_links(root: Path) -> None:
    (root / "entry").symlink_to("/app/../app/good")
    for word in ("/app/good", "good", "app/good", "/entry"):
        assert refused(root, container(word)) == "", word


def test_links_do_not_lead_outside(root: Path) -> None:
    (root / "out").symlink_to("/../../../../bin/sh")
    (root / "loop").symlink_to("/loop")
    assert refused(root, container("/out")) == "no-entrypoint"
    assert refused(root, container("/loop")) == "no-entrypoint"


@pytest.mark.parametrize(
    ("data", "mode", "name"),
    [
        (elf(interpreter="/lib/ld.so"), 0o755, "no-loader"),
        (b"#!/bin/sh\n", 0o755, "no-loader"),
        (elf(), 0o750, "not-executable"),
        (elf(machine=22), 0o755, "other-processor"),
    ],
)
def test_what_cannot_start(root: Path, data: bytes, mode: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BINFMT", root / "none")
    put(root / "app/bad", data, mode)
    if mode == 0o750 and os.geteuid() != 0:
        pytest.skip("owners are not the image's where an ordinary user unpacks")
    assert refused(root, container("/app/bad")) == name


def test_an_emulator_starts_other_processors_programs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BINFMT", root)
    put(root / "app/bad", elf(machine=22))
    put(root / "qemu-s390x", b"enabled")
    assert refused(root, container("/app/bad")) == ""


def test_a_loader_that_is_there(root: Path) -> None:
    (root / "lib").mkdir()
    put(root / "lib/ld.so", elf())
    put(root / "app/dynamic", elf(interpreter="/lib/ld.so"))
    assert refused(root, container("/app/dynamic")) == ""


def test_a_working_directory_that_is_none(root: Path) -> None:
    assert refused(root, container("good", directory="/gone")) == "bad-workdir"
    assert refused(root, container("/app/good", directory="/app/good")) == "bad-workdir"


@pytest.mark.parametrize("target", ["/proc/self/fd/7", "../proc/self/fd/7", "first", "/../proc"])
def test_f01_no_link_leads_the_working_directory_to_the_kernel(root: Path, target: str) -> None:
    """CVE-2024-21626, by a link of the image; `decide` looks at its words only."""
    (root / "app/first").symlink_to("/proc/self/cwd")
    (root / "app/there").symlink_to(target)
    assert refused(root, container("/app/good", directory="/app/there")) == "path-escape"
    (root / "app/memory").symlink_to("/dev/shm")
    assert refused(root, container("/app/good", directory="/app/memory")) == ""


def test_mounts_count(root: Path, tmp_path: Path) -> None:
    put(tmp_path / "tool", elf())
    bind = Bind(source=str(tmp_path / "tool"), path="/app/tool", executable=True)
    assert refused(root, container("/app/tool", binds=(bind,))) == ""
    memory = container("/mem/tool", directory="/mem", tmpfs=(Tmpfs(path="/mem", copied=True),))
    assert refused(root, memory) == "", "nobody knows what will be there"
    with pytest.raises(program.Unknown):
        located(memory, root, "/proc/self/exe")


def test_what_a_mount_hides_is_told(root: Path, tmp_path: Path) -> None:
    """Not so what lies on the mount, as a package's own program does, nor memory that gets what the image has there."""
    (tmp_path / "empty").mkdir()
    own, over = (Bind(source=str(source), path=path) for source, path in (
        (root / "app/good", "/app/good"), (tmp_path / "empty", "/app"),
    ))  # fmt: skip
    memory = Tmpfs(path="/app")
    for hiding in (container("/app/good", binds=(over,)), container("/app/good", tmpfs=(memory,))):
        with pytest.raises(WherryError) as caught:
            refuse_unstartable(hiding, root)
        assert (caught.value.name, caught.value.why) == (
            "no-entrypoint", "what is mounted at /app hides what the image has there",
        )  # fmt: skip
    assert refused(root, container("/app/good", binds=(own,), tmpfs=(memory,))) == ""
    assert refused(root, container("/app/good", tmpfs=(Tmpfs(path="/app", copied=True),))) == ""
    with pytest.raises(WherryError) as caught:
        refuse_unstartable(container("/app/nothing"), root)
    assert caught.value.why == ""
