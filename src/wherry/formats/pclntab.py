"""Go's function table (pclntab), which the linker puts into every program, stripped or not. A program's bytes in, its
functions' addresses and names out; touches nothing.

Layout: src/internal/abi/symtab.go, src/runtime/symtab.go and src/debug/gosym/pclntab.go of Go 1.18 and later; the form before
is another, and told so. Since Go 1.26 the table does not say where the code begins; the module data beside it does
(src/runtime/symtab.go, `moduledata`), in all versions at the same place.
"""

from __future__ import annotations

import bisect
import itertools
import mmap
import struct
from collections.abc import Iterator
from typing import Final

from wherry.errors import CorruptError
from wherry.formats import elf
from wherry.kit.value import Value

#: The first bytes since Go 1.20, and of 1.18 and 1.19; little-endian, as every Linux port of Go but ppc64, mips and s390x.
MAGICS: Final = (b"\xf1\xff\xff\xff\0\0", b"\xf0\xff\xff\xff\0\0")
_MOST: Final = 4 << 20
"""Functions of a program; kubelet has 200 000."""
_MINPC: Final = 20 * 8
"""Of `moduledata`: after a pointer, six slices and another pointer."""


class Function(Value, frozen=True, kw_only=True):
    """A function as the linker laid it out: from `address` to `end`, the padding after it included."""

    name: str
    address: int
    end: int


class Functions(Value, frozen=True, kw_only=True):
    """All functions of a program by address. Names are read when they are asked for: most never are."""

    starts: tuple[int, ...]
    """Sorted addresses, and the end of the last function."""
    names_at: tuple[int, ...]
    """For each where its name lies in `names`."""
    names: bytes

    def __len__(self) -> int:
        return len(self.names_at)

    def at(self, number: int) -> Function:
        """The function with this number, from 0 on."""
        begins = self.names_at[number]
        name = self.names[begins : self.names.find(b"\0", begins)].decode(errors="replace")
        return Function(name=name, address=self.starts[number], end=self.starts[number + 1])

    def number(self, address: int) -> int:
        """Which function holds `address`; -1 for none."""
        found = bisect.bisect_right(self.starts, address) - 1
        return found if 0 <= found < len(self.names_at) else -1


def parse(data: bytes | mmap.mmap, *, name: str) -> Functions | None:
    """The functions of the 64-bit little-endian program in `data`; None when it has no such table (not Go, or Go before 1.18).

    Raises CorruptError [bad-elf] or [bad-pclntab] for a file that contradicts itself.
    """
    segments = elf.loaded(data, name=name)
    for offset, address in _tables(data, segments):
        base = _code(data, segments, address)
        if base is not None:
            try:
                return _read(memoryview(data)[offset:], base, name)
            except (struct.error, IndexError) as error:
                raise _bad(name, "it points outside of itself") from error
    return None


def _tables(data: bytes | mmap.mmap, segments: tuple[elf.Segment, ...]) -> Iterator[tuple[int, int]]:
    """Offset and address of everything that begins as a table does: magic, instruction quantum, size of a pointer."""
    for part in segments:
        for magic in MAGICS:
            at = data.find(magic, part.offset, part.offset + part.size)
            while at >= 0:
                if data[at + 6 : at + 7] in (b"\x01", b"\x04") and data[at + 7 : at + 8] == b"\x08":
                    yield at, part.address + at - part.offset
                at = data.find(magic, at + 1, part.offset + part.size)


def _code(data: bytes | mmap.mmap, segments: tuple[elf.Segment, ...], address: int) -> int | None:
    """Where the first function is, by the module data, which begins with the table's address."""
    for part in segments:
        at = data.find(struct.pack("<Q", address), part.offset, part.offset + part.size)
        while at >= 0:
            if at + _MINPC + 8 <= len(data):
                (lowest,) = struct.unpack_from("<Q", data, at + _MINPC)
                if any(one.executable and one.address <= lowest < one.address + one.size for one in segments):
                    return int(lowest)
            at = data.find(struct.pack("<Q", address), at + 1, part.offset + part.size)
    return None


def _read(table: memoryview, lowest: int, name: str) -> Functions:
    count, _, _, texts, _, _, _, at = struct.unpack_from("<8Q", table, 8)
    if not 0 < count <= _MOST or at + 8 * count + 4 > len(table) or texts >= len(table):
        raise _bad(name, f"it promises {count} functions")
    rows = struct.unpack_from(f"<{2 * count + 1}I", table, at)
    entries, places = rows[::2], rows[1::2]
    if any(after < before for before, after in itertools.pairwise(entries)):
        raise _bad(name, "its functions are not in order")
    base = lowest - entries[0]
    names = tuple(struct.unpack_from("<i", table, at + place + 4)[0] for place in places)
    if min(names) < 0:
        raise _bad(name, "a name lies before all names")
    return Functions(
        starts=tuple(base + entry for entry in entries),
        names_at=names,
        names=bytes(table[texts : texts + max(names) + 4096]),
    )


def _bad(name: str, why: str) -> CorruptError:
    return CorruptError(
        "bad-pclntab", f"the function table of {name} is not sound: {why}", where=name, next="build it again"
    )
