"""What programs ask of a loader, compared with what binutils say of the same files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.programs_in_c import HOST, compiled, library, readelf
from wherry.errors import CorruptError
from wherry.formats import elf

SYSTEM = ("/bin/sh", "/bin/ls", "/usr/bin/git", "/usr/lib/x86_64-linux-gnu/libc.so.6")


@pytest.mark.parametrize("path", [path for path in map(Path, SYSTEM) if path.exists()], ids=str)
def test_files_of_this_machine(path: Path) -> None:
    found = elf.parse(path.read_bytes(), name=str(path))
    dynamic, versions = readelf(path, "-d"), readelf(path, "-V")
    assert list(found.needed) == re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    asked = re.search(r"interpreter: (\S+)\]", readelf(path, "-l"))
    assert found.interpreter == (asked[1] if asked else "")
    needs = versions.partition("Version needs section")[2]
    assert [one.library for one in found.wants] == re.findall(r"File: (\S+)", needs)
    assert [name for one in found.wants for name in one.versions] == re.findall(r"Name: (\S+)  Flags", needs)
    defined = versions.partition("Version definition section")[2].partition("Version needs section")[0]
    assert list(found.gives) == re.findall(r"Index: .*Name: (\S+)", defined)
    assert (found.architecture, found.bits) == (HOST.architecture, 64)


def test_a_static_program_asks_for_nothing(tmp_path: Path) -> None:
    found = elf.parse(compiled(tmp_path / "x", "int main(void) { return 0; }", "-static").read_bytes(), name="x")
    assert (found.interpreter, found.needed, found.wants) == ("", (), ())


def test_stripping_changes_nothing_of_it(tmp_path: Path) -> None:
    whole, stripped = compiled(tmp_path / "a"), compiled(tmp_path / "b", "int main(void){return 0;}", "-s")
    assert elf.parse(whole.read_bytes(), name="a").needed == elf.parse(stripped.read_bytes(), name="b").needed


def test_a_librarys_own_versions(tmp_path: Path) -> None:
    made = library(tmp_path / "libx.so.1", "X_1.5")
    assert elf.parse(made.read_bytes(), name="x").gives == ("libx.so.1", "X_1.5")


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF" + bytes(60), b"MZ" + bytes(100)])
def test_what_is_no_elf_file(content: bytes) -> None:
    with pytest.raises(CorruptError) as caught:
        elf.parse(content, name="x")
    assert caught.value.name == "bad-elf"
