"""arm64 instructions as operations of the analysis (Arm ARM C6; Go's calling conventions in src/cmd/compile/abi-internal.md).
Code in, operations out; touches nothing."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from wherry.runtime.ceiling.code import Cell, Convention, Op, Place, Source, Sum

if TYPE_CHECKING:
    from capstone import CsInsn  # type: ignore[import-untyped]

_NUMBERED: Final = tuple(f"x{number}" for number in range(31))
#: Any name of a general register → the whole register, and how many bytes the name means.
_REGISTERS: Final = {
    **{name: (name, 8) for name in (*_NUMBERED, "sp")},
    **{f"w{name[1:]}": (name, 4) for name in _NUMBERED},
    "wsp": ("sp", 4),
    "fp": ("x29", 8),
    "lr": ("x30", 8),
}
_ZERO: Final = frozenset(("xzr", "wzr"))
CONVENTION: Final = Convention(
    stack="sp",
    pushed=0,
    number="x8",
    first="x0",
    kernel=("x0",),
    registers=_NUMBERED,
)
_SVC: Final = 0xD4000001
_NOTHING: Final = frozenset(("cmp", "cmn", "tst", "nop", "dmb", "dsb", "isb", "prfm", "yield", "ccmp", "fcmp"))


def _words(code: memoryview) -> array[int]:
    """Instructions as numbers; arm64 code is little-endian whatever the data is."""
    words = array("I")
    assert words.itemsize == 4
    words.frombytes(code[: len(code) & ~3])
    if struct.pack("=I", 1) != struct.pack("<I", 1):
        words.byteswap()
    return words


def kernel_calls(code: memoryview, address: int) -> Iterator[int]:
    """Addresses of `svc #0` (and any other svc)."""
    for number, word in enumerate(_words(code)):
        if word & 0xFFE0001F == _SVC:
            yield address + 4 * number


def references(code: memoryview, address: int) -> Iterator[tuple[int, int, bool]]:
    """From where, to where, whether it is a call or jump; else the address is taken, by `adrp` and `add`."""
    words = _words(code)
    for number, word in enumerate(words):
        if word & 0x7C000000 == 0x14000000:  # b, bl
            distance = ((word & 0x3FFFFFF) ^ 0x2000000) - 0x2000000
            yield address + 4 * number, address + 4 * (number + distance), True
        elif word & 0x9F000000 == 0x90000000 and number + 1 < len(words):  # adrp
            following = words[number + 1]
            if following & 0xFFC00000 == 0x91000000 and (following >> 5) & 31 == word & 31:  # add, no shift
                here = address + 4 * number
                yield here, _page(word, here) + (following >> 10 & 0xFFF), False


def written(code: memoryview, address: int, cell: int) -> bool:
    """Whether anything but a load names the variable at `cell`: a store, or code that takes its address."""
    words = _words(code)
    for number, word in enumerate(words[:-1]):
        following = words[number + 1]
        if word & 0x9F000000 != 0x90000000 or (following >> 5) & 31 != word & 31:
            continue
        page, low = _page(word, address + 4 * number), following >> 10 & 0xFFF
        shift = (
            following >> 30 if following & 0x3B000000 == 0x39000000 else 0
        )  # loads and stores count in their own size
        if page + (low << shift) == cell and following & 0xBFC00000 != 0xB9400000:  # ldr
            return True
    return False


def _page(word: int, here: int) -> int:
    """What `adrp` at `here` gives."""
    distance = ((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3) ^ 0x100000
    return (here & ~0xFFF) + ((distance - 0x100000) << 12)


def operations(code: bytes, address: int) -> list[Op]:
    """All instructions of one function; what capstone does not know loses nothing, since general registers are known to it."""
    import capstone

    reader = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    reader.detail = True
    reader.skipdata = True
    ops: list[Op] = []
    for one in reader.disasm(code, address):
        ops.extend(_variable(op, ops[-1]) if ops else op for op in _operations(one))
    return ops


def _variable(op: Op, before: Op) -> Op:
    """A load from a fixed address: `adrp` gave the page just before."""
    cell, page = op.source, before.source
    based = isinstance(cell, Place) and cell.memory and before.into == Place(register=cell.register)
    if isinstance(cell, Place) and based and isinstance(page, int):
        return msgspec.structs.replace(op, source=Cell(address=page + cell.offset))
    return op


def _operations(one: CsInsn) -> Iterator[Op]:
    word, at = one.mnemonic, one.address
    if word == ".byte" or word in _NOTHING:
        yield Op(kind="lose", address=at)
    elif word == "svc":
        yield Op(kind="kernel", address=at)
    elif word in ("bl", "blr"):
        yield Op(kind="call", address=at, to=_target(one))
    elif word in ("b", "br"):
        yield Op(kind="jump", address=at, to=_target(one))
    elif word.startswith("b.") or word in ("cbz", "cbnz", "tbz", "tbnz"):
        yield Op(kind="branch", address=at, to=_target(one))
    elif word in ("ret", "brk", "udf", "hlt"):
        yield Op(kind="end", address=at)
    else:
        yield from _data(one, word)


def _data(one: CsInsn, word: str) -> Iterator[Op]:
    at = one.address
    if word in ("str", "stur") or word in ("ldr", "ldur"):
        yield from _moves(one, (0,), 1)
    elif word in ("stp", "ldp"):
        yield from _moves(one, (0, 1), 2)
    elif word in ("mov", "movz", "orr", "movn") and (into := _register(one, 0)) is not None:
        yield Op(kind="set", address=at, into=into, source=_moved(one, word))
    elif word in ("add", "sub") and (into := _register(one, 0)) is not None:
        yield Op(kind="set", address=at, into=into, source=_sum(one, -1 if word == "sub" else 1))
    elif word in ("adr", "adrp") and (into := _register(one, 0)) is not None:
        yield Op(kind="set", address=at, into=into, source=int(one.operands[1].imm))
    else:
        yield _lose(one)


def _moved(one: CsInsn, word: str) -> Source:
    from capstone.arm64 import ARM64_OP_IMM  # type: ignore[import-untyped]

    last = one.operands[-1]
    if word == "orr" and one.reg_name(one.operands[1].reg) not in _ZERO:
        return None
    if last.type == ARM64_OP_IMM:
        number = int(last.imm) << (last.shift.value if last.shift.type else 0)
        wide = one.reg_name(one.operands[0].reg).startswith("x")
        return (~number if word == "movn" else number) & (0xFFFFFFFFFFFFFFFF if wide else 0xFFFFFFFF)
    return None if last.shift.type else _value(one, len(one.operands) - 1)


def _sum(one: CsInsn, sign: int) -> Source:
    from capstone.arm64 import ARM64_OP_IMM

    last, base = one.operands[-1], _register(one, 1)
    if last.type != ARM64_OP_IMM or base is None or base.size != 8:
        return None
    return Sum(register=base.register, offset=sign * (int(last.imm) << (last.shift.value if last.shift.type else 0)))


def _moves(one: CsInsn, registers: tuple[int, ...], cell: int) -> Iterator[Op]:
    """Loads and stores of one or two registers, with the change of the base before or after."""
    at, operand = one.address, one.operands[cell]
    base = _REGISTERS.get(one.reg_name(operand.mem.base) or "", ("", 0))[0]
    size = _size(one, registers[0])
    before, after = operand.mem.disp, 0
    if one.writeback and len(one.operands) > cell + 1:
        before, after = 0, int(one.operands[cell + 1].imm)
    elif one.writeback:
        before, after = 0, 0
        yield Op(kind="set", address=at, into=Place(register=base), source=Sum(register=base, offset=operand.mem.disp))
    for number in registers:
        place = Place(register=base, memory=True, offset=before + number * size, size=size)
        yield _one_move(one, number, None if operand.mem.index or not base else place)
    if after:
        yield Op(kind="set", address=at, into=Place(register=base), source=Sum(register=base, offset=after))


def _one_move(one: CsInsn, number: int, place: Place | None) -> Op:
    register = _register(one, number)
    if one.mnemonic.startswith("ld"):
        return Op(kind="set" if register else "lose", address=one.address, into=register, source=place)
    if place is None:
        return Op(kind="lose", address=one.address)
    return Op(kind="set", address=one.address, into=place, source=_value(one, number))


def _lose(one: CsInsn) -> Op:
    """An instruction whose results are of no interest: what it writes is anything."""
    written = {_REGISTERS[name][0] for name in map(one.reg_name, one.regs_access()[1]) if name in _REGISTERS}
    return Op(kind="lose", address=one.address, loses=tuple(sorted(written)))


def _register(one: CsInsn, number: int) -> Place | None:
    from capstone.arm64 import ARM64_OP_REG

    operand = one.operands[number]
    found = _REGISTERS.get(one.reg_name(operand.reg) or "") if operand.type == ARM64_OP_REG else None
    return Place(register=found[0], size=found[1]) if found else None


def _value(one: CsInsn, number: int) -> Source:
    return 0 if one.reg_name(one.operands[number].reg) in _ZERO else _register(one, number)


def _size(one: CsInsn, number: int) -> int:
    name = one.reg_name(one.operands[number].reg) or ""
    return {"w": 4, "s": 4, "q": 16, "b": 1, "h": 2}.get(name[:1], 8)


def _target(one: CsInsn) -> int | None:
    from capstone.arm64 import ARM64_OP_IMM

    last = one.operands[-1] if one.operands else None
    return int(last.imm) if last is not None and last.type == ARM64_OP_IMM else None
