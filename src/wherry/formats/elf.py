"""ELF programs and libraries (System V gABI; Linux Standard Base for symbol versions). Bytes in, what a loader asks of them
out; touches nothing.

Only what is reached from the program headers is read: sections may be stripped. Every offset and count is checked against the
file, and every list is bounded, since libraries of foreign images are read too.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from typing import Final

from wherry.errors import CorruptError
from wherry.kit.value import Value

#: e_machine of Go's Linux ports → architecture, as far as it is told apart by that number alone.
MACHINES: Final = {
    3: "386",
    8: "mips",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "amd64",
    183: "arm64",
    243: "riscv64",
    258: "loong64",
}
#: The head of the note that holds a build ID, with its length (gABI, "Note Section"; NT_GNU_BUILD_ID); little-endian.
BUILD_ID: Final = re.compile(rb"\x04\0\0\0(.)\0\0\0\x03\0\0\0GNU\0", re.DOTALL)
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_WEAK: Final = 2
_MOST: Final = 4096
"""Of anything that is counted in a file."""
_VERSIONS: Final = 512
"""Of libraries with versions, and of versions of one library."""


class Needs(Value, frozen=True, kw_only=True):
    """The symbol versions that a program asks of one library: `libc.so.6`, GLIBC_2.34 ..."""

    library: str
    versions: tuple[str, ...]


class Elf(Value, frozen=True, kw_only=True):
    """What the loader reads of a program or a library."""

    architecture: str
    """In Go's words without endianness (mips64 is mips, ppc64le ppc64); `machine 99` for one that Go has no port for."""
    bits: int
    interpreter: str = ""
    """PT_INTERP: the loader that starts the program; empty for static ones and for libraries."""
    dynamic: bool = False
    needed: tuple[str, ...] = ()
    """DT_NEEDED: libraries by name."""
    search: str = ""
    """DT_RUNPATH or DT_RPATH: folders to look into first, between colons."""
    wants: tuple[Needs, ...] = ()
    gives: tuple[str, ...] = ()
    """Symbol versions that a library defines; its own name is the first of them."""


class Segment(Value, frozen=True, kw_only=True):
    """A program header: `size` bytes of the file from `offset` on, at `address` in memory."""

    kind: int
    offset: int
    address: int
    size: int
    flags: int

    @property
    def executable(self) -> bool:
        return bool(self.flags & 1)


def parse(data: bytes | mmap.mmap, *, name: str) -> Elf:
    """The program or library in `data`; CorruptError [bad-elf] when it is none, or contradicts itself."""
    view = memoryview(data)
    try:
        return _Reader(view, name).elf()
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise bad(name, "it ends too early or points outside of itself") from error


def loaded(data: bytes | mmap.mmap, *, name: str) -> tuple[Segment, ...]:
    """What of the program in `data` is loaded into memory (PT_LOAD), each part inside the file; the same error."""
    try:
        segments = tuple(one for one in _Reader(memoryview(data), name).segments if one.kind == _LOAD)
    except (struct.error, IndexError) as error:
        raise bad(name, "it ends too early or points outside of itself") from error
    if any(one.offset + one.size > len(data) for one in segments):
        raise bad(name, "it points outside of itself")
    return segments


def is_elf(head: bytes) -> bool:
    """True for a file that begins with these bytes and may be ELF."""
    return head.startswith(b"\x7fELF")


def bad(name: str, why: str) -> CorruptError:
    """The error for a file that is no sound ELF file."""
    return CorruptError("bad-elf", f"{name} is no sound ELF file: {why}", where=name, next="build it again")


class _Reader:
    def __init__(self, data: memoryview, name: str) -> None:
        self.data, self.name = data, name
        if not is_elf(bytes(data[:4])) or len(data) < 52 or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise bad(name, "its head is another")
        self.wide = data[4] == 2
        self.order = "<" if data[5] == 1 else ">"
        self.segments = tuple(self._segments())

    def elf(self) -> Elf:
        (machine,) = self.unpack("H", 18)
        interpreter = next((self.bytes(one.offset, one.size) for one in self.segments if one.kind == _INTERP), b"")
        table = self._dynamic()
        strings = self._strings(table)
        return Elf(
            architecture=MACHINES.get(machine, f"machine {machine}"),
            bits=64 if self.wide else 32,
            interpreter=interpreter.rstrip(b"\0").decode(),
            dynamic=any(one.kind == _DYNAMIC for one in self.segments),
            needed=tuple(self.text(strings, value) for tag, value in table if tag == _NEEDED),
            search=next((self.text(strings, value) for tag, value in table if tag in (_RUNPATH, _RPATH)), ""),
            wants=tuple(self._wants(dict(table), strings)),
            gives=tuple(self._gives(dict(table), strings)),
        )

    def _segments(self) -> Iterator[Segment]:
        offset, size, count = (
            (*self.unpack("Q", 32), *self.unpack("HH", 54))
            if self.wide
            else (*self.unpack("I", 28), *self.unpack("HH", 42))
        )
        if count > _MOST:
            raise bad(self.name, f"it has {count} segments")
        for number in range(count):
            at = offset + number * size
            if self.wide:
                kind, flags, begins, address, _, length = self.unpack("IIQQQQ", at)
            else:
                kind, begins, address, _, length, _, flags = self.unpack("IIIIIII", at)
            yield Segment(kind=kind, offset=begins, address=address, size=length, flags=flags)

    def _dynamic(self) -> tuple[tuple[int, int], ...]:
        found = next((one for one in self.segments if one.kind == _DYNAMIC), None)
        if found is None:
            return ()
        step = 16 if self.wide else 8
        table = []
        for number in range(min(found.size // step, _MOST)):
            tag, value = self.unpack("QQ" if self.wide else "II", found.offset + number * step)
            if not tag:
                break
            table.append((tag, value))
        return tuple(table)

    def _strings(self, table: tuple[tuple[int, int], ...]) -> memoryview:
        known = dict(table)
        if _STRTAB not in known:
            return self.data[:0]
        return memoryview(self.bytes(self.offset(known[_STRTAB]), known.get(_STRSZ, 0)))

    def _wants(self, table: dict[int, int], strings: memoryview) -> Iterator[Needs]:
        """Elfxx_Verneed and its Elfxx_Vernaux (LSB Core, "Symbol Versioning"); both are the same in 32 and 64 bits."""
        at = self.offset(table[_VERNEED]) if _VERNEED in table else 0
        for _ in range(min(table.get(_VERNEEDNUM, 0), _VERSIONS)):
            _, count, library, first, following = self.unpack("HHIII", at)
            names, inner = [], at + first
            for _ in range(min(count, _VERSIONS)):
                _, flags, _, version, step = self.unpack("IHHII", inner)
                names += [] if flags & _WEAK else [self.text(strings, version)]
                inner += step
            yield Needs(library=self.text(strings, library), versions=tuple(names))
            at += following

    def _gives(self, table: dict[int, int], strings: memoryview) -> Iterator[str]:
        """Elfxx_Verdef, the first Elfxx_Verdaux of each."""
        at = self.offset(table[_VERDEF]) if _VERDEF in table else 0
        for _ in range(min(table.get(_VERDEFNUM, 0), _VERSIONS)):
            _, _, _, _, _, first, following = self.unpack("HHHHIII", at)
            (version, _) = self.unpack("II", at + first)
            yield self.text(strings, version)
            at += following

    def offset(self, address: int) -> int:
        """Where in the file what is loaded at `address` lies."""
        for one in self.segments:
            if one.kind == _LOAD and one.address <= address < one.address + one.size:
                return one.offset + address - one.address
        raise bad(self.name, f"nothing is loaded at {address:#x}")

    def unpack(self, form: str, at: int) -> tuple[int, ...]:
        if at + struct.calcsize("=" + form) > len(self.data):
            raise bad(self.name, "it points outside of itself")
        return struct.unpack_from(self.order + form, self.data, at)

    def bytes(self, at: int, size: int) -> bytes:
        if at + size > len(self.data):
            raise bad(self.name, "it points outside of itself")
        return bytes(self.data[at : at + size])

    def text(self, strings: memoryview, at: int) -> str:
        end = bytes(strings[at : at + 4096]).find(b"\0")
        if at >= len(strings) or end < 0:
            raise bad(self.name, "a name in it has no end")
        return bytes(strings[at : at + end]).decode()
