"""The probe's ELF file in; its size, headers, bytes and source checked."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from pathlib import Path

import pytest

from scripts.assemble_probe import PROBE, TOOLS, assemble, source
from tests.support.tools import need
from wherry.probe.code import AMD64, ARM64
from wherry.probe.elf import ARCHITECTURES, probe_elf

CODES = {"amd64": AMD64, "arm64": ARM64}
# A probe with other bytes gives every image with a health entry another digest: say so in CHANGELOG.
GOLDEN = {
    "amd64": "87f84d337c1071a80b637dd4382b0d5796834fb06397cf5c80ef3851063429fd",
    "arm64": "73db58bf81c5f2058990667822059ba10b550786c0d76c83e2a90d86f25a510f",
}


def test_all_have_code() -> None:
    assert tuple(CODES) == tuple(TOOLS) == ARCHITECTURES == ("amd64", "arm64")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_bytes(architecture: str) -> None:
    first = probe_elf(architecture)
    assert first == probe_elf(architecture)
    assert len(first) < 1024
    assert hashlib.sha256(first).hexdigest() == GOLDEN[architecture]


@pytest.mark.parametrize("architecture", ["", "386", "arm", "riscv64", "AMD64", "x86_64"])
def test_unknown_architecture(architecture: str) -> None:
    with pytest.raises(ValueError, match="no health probe for architecture"):
        probe_elf(architecture)


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_headers(architecture: str, machine: int) -> None:
    elf = probe_elf(architecture)
    assert elf[:16] == b"\x7fELF\x02\x01\x01" + bytes(9)
    kind, found, version, entry, segments, sections, flags = struct.unpack_from("<HHIQQQI", elf, 16)
    assert (kind, found, version, segments, sections, flags) == (2, machine, 1, 64, 0, 0)
    assert struct.unpack_from("<6H", elf, 52) == (64, 56, 2, 0, 0, 0)

    load = struct.unpack_from("<IIQQQQQQ", elf, 64)
    assert load == (1, 5, 0, 0x400000, 0x400000, len(elf), len(elf), 0x10000)  # 5: read and execute, not write
    assert elf[entry - 0x400000 :] == CODES[architecture]
    assert entry % 4 == 0

    stack = struct.unpack_from("<IIQQQQQQ", elf, 120)
    assert stack[:2] == (0x6474E551, 6)  # read and write, not execute


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_readelf_has_nothing_to_complain_of(architecture: str, tmp_path: Path) -> None:
    need("readelf")
    program = tmp_path / "probe"
    program.write_bytes(probe_elf(architecture))
    shown = subprocess.run(["readelf", "-h", "-l", program], capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    assert "EXEC (Executable file)" in shown.stdout
    assert "warning" not in shown.stdout.lower()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_code_is_the_assembled_source(architecture: str) -> None:
    need(*(f"{TOOLS[architecture]}{tool}" for tool in ("as", "objcopy", "objdump")))
    assert assemble(architecture) == CODES[architecture], "run python scripts/assemble_probe.py"


def test_code_py_is_as_the_script_writes_it() -> None:
    assert (PROBE / "code.py").read_text() == source(CODES)
