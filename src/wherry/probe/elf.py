"""Architecture in, the bytes of the health probe's or the init's ELF file out; touches nothing."""

from __future__ import annotations

import struct
from typing import Final

from wherry.probe import init_code
from wherry.probe.code import AMD64, ARM64

#: What a healthy server's status is: for everyone in wherry who asks a health route, so that all judge alike.
HEALTHY_STATUS: Final = range(200, 400)

# architecture in Go's words, e_machine (System V ABI, EM_X86_64 and EM_AARCH64), code
_MACHINES: Final = (
    ("amd64", 62, AMD64),
    ("arm64", 183, ARM64),
)
ARCHITECTURES: Final[tuple[str, ...]] = tuple(architecture for architecture, _, _ in _MACHINES)

_ADDRESS: Final = 0x400000
_PAGE: Final = 0x10000  # the largest page of both architectures
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_PT_LOAD: Final = 1
_PT_GNU_STACK: Final = 0x6474E551
_EXECUTABLE, _WRITABLE, _READABLE = 1, 2, 4


def probe_elf(architecture: str) -> bytes:
    """The probe for one of ARCHITECTURES (GOARCH words), always the same bytes; ValueError for any other.

    ELF64 after the System V gABI, chapters 4 and 5: one segment, not writable, and a stack that is not executable.
    """
    for name, machine, code in _MACHINES:
        if name == architecture:
            return _elf(machine, code)
    raise ValueError(f"no health probe for architecture {architecture!r}")


def init_elf(architecture: str) -> bytes:
    """The init for one of ARCHITECTURES: `init PROGRAM ARGUMENT...` as the first process starts the program, hands it every
    signal, collects whoever else ends, and ends as it does: its status, 128 and the signal that killed it, 127 when it is
    not there, 126 when it cannot be executed. ValueError for any other architecture."""
    codes = {"amd64": init_code.AMD64, "arm64": init_code.ARM64}
    for name, machine, _ in _MACHINES:
        if name == architecture:
            return _elf(machine, codes[name])
    raise ValueError(f"no init for architecture {architecture!r}")


def _elf(machine: int, code: bytes) -> bytes:
    start = _HEADER.size + 2 * _SEGMENT.size
    size = start + len(code)
    ident = b"\x7fELF" + bytes((2, 1, 1))  # 64 bits, little-endian, version 1; the rest zero: System V
    header = _HEADER.pack(
        *(ident, 2, machine, 1),  # 2: executable at a fixed address
        *(_ADDRESS + start, _HEADER.size, 0, 0),  # entry, segments, no sections, no flags
        *(_HEADER.size, _SEGMENT.size, 2, 0, 0, 0),
    )
    load = _SEGMENT.pack(_PT_LOAD, _READABLE | _EXECUTABLE, 0, _ADDRESS, _ADDRESS, size, size, _PAGE)
    stack = _SEGMENT.pack(_PT_GNU_STACK, _READABLE | _WRITABLE, 0, 0, 0, 0, 0, 16)
    return header + load + stack + code
