"""A program compared with its base: real programs of this machine's compiler, bases with and without what they ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.packing import Memory
from tests.support.programs_in_c import HOST, MAIN, base, binary, compiled, library, loader, of_this_machine
from wherry.assemble.linkage import check
from wherry.errors import RefusedError
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.oci.platform import Platform

ANSWER = "int answer(void); int main(void) { return answer(); }\n"


def refused(program: Binary, on: Base, own: tuple[str, ...] = ()) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        check(program, on, own, Memory())
    assert caught.value.where
    assert caught.value.next
    return caught.value


def test_a_program_fits_the_machine_it_was_made_on(tmp_path: Path) -> None:
    program = compiled(tmp_path / "app")
    check(binary(program), base(tmp_path, of_this_machine(program)), (), Memory())


def test_folders_that_are_links_are_followed(tmp_path: Path) -> None:
    """As on Debian, where /lib64 is a link and the loader in it another one."""
    program = compiled(tmp_path / "app")
    files = {f"usr/lib/{Path(path).name}": real for path, real in of_this_machine(program).items()}
    top = loader(program).split("/")[1]
    check(binary(program), base(tmp_path, files, {top: "usr/lib"}), (), Memory())


def test_a_static_program_needs_nothing(tmp_path: Path) -> None:
    program = compiled(tmp_path / "app", "int main(void) { return 0; }", "-static")
    for name in ("static", "scratch"):
        check(binary(program), Base(name=name, platform=HOST), (), Memory())


@pytest.mark.parametrize("name", ["static", "scratch"])
def test_our_own_bases_start_nothing_dynamic(name: str, tmp_path: Path) -> None:
    found = refused(binary(compiled(tmp_path / "app")), Base(name=name, platform=HOST))
    assert (found.name, found.message) == (
        "base-loader",
        f"app is linked dynamically, and {name} has no loader to start it",
    )
    assert found.next == ("--set build.static=true", "--base debian")


def test_a_base_without_a_loader(tmp_path: Path) -> None:
    program = compiled(tmp_path / "app")
    files = {path: real for path, real in of_this_machine(program).items() if path != loader(program).lstrip("/")}
    found = refused(binary(program), base(tmp_path, files))
    assert (found.name, found.message) == (
        "base-loader",
        "app is linked dynamically, and reg.example/base:1 has no loader to start it",
    )


def test_a_base_with_musl(tmp_path: Path) -> None:
    program = compiled(tmp_path / "app")
    found = refused(binary(program), base(tmp_path, {"lib/ld-musl-x86_64.so.1": program}))
    assert (found.name, found.message) == (
        "base-libc",
        "app is linked against glibc, and reg.example/base:1 has musl",
    )


def test_an_older_c_library(tmp_path: Path) -> None:
    """Its libc.so.6 defines nothing after GLIBC_2.1."""
    program = compiled(tmp_path / "app")
    files = {path: real for path, real in of_this_machine(program).items() if not path.endswith("libc.so.6")}
    older = library(tmp_path / "old/libc.so.6", "GLIBC_2.1")
    found = refused(binary(program), base(tmp_path, {**files, "usr/lib/libc.so.6": older}))
    assert found.name == "base-libc"
    assert found.message.startswith("app needs GLIBC_2.")
    assert found.message.endswith("and reg.example/base:1 has only GLIBC_2.1")


def test_a_library_that_is_missing(tmp_path: Path) -> None:
    library(tmp_path / "libx.so.1", "X_1.5")
    program = compiled(tmp_path / "app", ANSWER, f"-L{tmp_path}", "-l:libx.so.1", f"-Wl,-rpath-link,{tmp_path}")
    files = of_this_machine(compiled(tmp_path / "other", MAIN))
    found = refused(binary(program), base(tmp_path, files))
    assert (found.name, found.where) == ("base-library", ("libx.so.1",))
    check(binary(program), base(tmp_path, files), ("srv/lib/libx.so.1",), Memory())
    check(binary(program), base(tmp_path, {**files, "opt/libx.so.1": tmp_path / "libx.so.1"}), (), Memory())
    older = library(tmp_path / "old/libx.so.1", "X_1.4")
    found = refused(binary(program), base(tmp_path, {**files, "opt/libx.so.1": older}))
    assert (found.name, found.message.partition(",")[0]) == ("base-library", "app needs X_1.5 of libx.so.1")


def test_another_processor(tmp_path: Path) -> None:
    program = compiled(tmp_path / "app")
    found = refused(binary(program, Platform(architecture="s390x")), base(tmp_path, of_this_machine(program)))
    assert (found.name, found.message) == (
        "base-architecture",
        f"app was compiled for {HOST.architecture}, not for s390x",
    )
    files = of_this_machine(program)
    foreign = bytearray(Path(loader(program)).read_bytes())
    foreign[18:20] = (22).to_bytes(2, "little")
    (tmp_path / "ld").write_bytes(foreign)
    found = refused(binary(program), base(tmp_path, {**files, loader(program).lstrip("/"): tmp_path / "ld"}))
    assert (found.name, found.where) == ("base-architecture", (loader(program),))


def test_the_base_is_read_once(tmp_path: Path) -> None:
    program = compiled(tmp_path / "app")
    records, on = Memory(), base(tmp_path, of_this_machine(program))
    check(binary(program), on, (), records)
    gone = replace(on, layers=tuple(replace(one, file=f"{one.file}.gone") for one in on.layers))
    check(binary(program), gone, (), records)
    records.kept = dict.fromkeys(records.kept, b"damaged")
    check(binary(program), on, (), records)
