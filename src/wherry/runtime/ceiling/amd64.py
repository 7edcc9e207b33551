"""amd64 instructions as operations of the analysis (Intel SDM; Go's calling conventions in src/cmd/compile/abi-internal.md).
Code in, operations out; touches nothing."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from wherry.runtime.ceiling.code import Cell, Convention, Op, Place, Source, Sum

if TYPE_CHECKING:
    from capstone import CsInsn  # type: ignore[import-untyped]

_NUMBERED: Final = ("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
_WIDE: Final = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp")
#: Any name of a general register → the whole register, and how many bytes the name means.
_REGISTERS: Final = {
    **{name: (name, 8) for name in (*_WIDE, *_NUMBERED)},
    **{f"e{name[1:]}": (name, 4) for name in _WIDE},
    **{f"{name}d": (name, 4) for name in _NUMBERED},
    **{name[1:]: (name, 2) for name in _WIDE},
    **{f"{name}w": (name, 2) for name in _NUMBERED},
    **{f"{name[1]}{half}": (name, 1) for name in _WIDE[:4] for half in "lh"},
    **{f"{name[1:]}l": (name, 1) for name in _WIDE[4:]},
    **{f"{name}b": (name, 1) for name in _NUMBERED},
}
CONVENTION: Final = Convention(
    stack="rsp",
    pushed=8,
    number="rax",
    first="rax",
    kernel=("rax", "rcx", "r11"),
    registers=tuple(name for name in (*_WIDE, *_NUMBERED) if name != "rsp"),
)
#: They only read their first operand.
_READERS: Final = frozenset(("cmp", "test", "bt", "nop", "prefetcht0", "comisd", "ucomisd"))
#: `syscall`, and the 32-bit door that no Go program uses: both would be calls.
KERNEL: Final = re.compile(rb"\x0f\x05|\xcd\x80")
_CALL: Final = re.compile(rb"[\xe8\xe9]")
_LEA: Final = re.compile(rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]")
#: ModR/M bytes of what lies relative to the instruction; the distance follows, and after it at most an immediate.
_RELATIVE: Final = re.compile(rb"[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]")
_LOAD: Final = 0x8B
_READ = struct.Struct("<i").unpack_from


def kernel_calls(code: memoryview, address: int) -> Iterator[int]:
    """Addresses where a system call may be; some are in the middle of another instruction."""
    for found in KERNEL.finditer(code):
        yield address + found.start()


def references(code: memoryview, address: int) -> Iterator[tuple[int, int, bool]]:
    """From where, to where, whether it is a call or jump (else the address is taken); some are none."""
    last = len(code) - 4
    for pattern, calls in ((_CALL, True), (_LEA, False)):
        for found in pattern.finditer(code):
            at = found.end()
            if at <= last:
                yield address + found.start(), address + at + 4 + _READ(code, at)[0], calls


def written(code: memoryview, address: int, cell: int) -> bool:
    """Whether anything but a load names the variable at `cell`: a store, or code that takes its address."""
    last = len(code) - 4
    for found in _RELATIVE.finditer(code):
        at = found.end()
        if at > last:
            continue
        away = cell - (address + at + 4 + _READ(code, at)[0])
        if away in (1, 2, 4) or (away == 0 and code[at - 2] != _LOAD):
            return True
    return False


def operations(code: bytes, address: int) -> list[Op]:
    """All instructions of one function, up to the first that is none."""
    import capstone

    reader = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    reader.detail = True
    return [op for one in reader.disasm(code, address) for op in _operations(one)]


def _operations(one: CsInsn) -> Iterator[Op]:
    word, at = one.mnemonic.rpartition(" ")[2], one.address
    operands = one.operands
    if word in ("syscall", "sysenter") or (word == "int" and operands[0].imm == 0x80):
        yield Op(kind="kernel", address=at)
    elif word == "call":
        yield Op(kind="call", address=at, to=_target(one))
    elif word == "jmp":
        yield Op(kind="jump", address=at, to=_target(one), table=_table(one))
    elif word.startswith(("j", "loop")):
        yield Op(kind="branch", address=at, to=_target(one))
    elif word in ("ret", "retf", "ud2", "hlt", "int3", "iretq"):
        yield Op(kind="end", address=at)
    else:
        yield from _data(one, word)


def _data(one: CsInsn, word: str) -> Iterator[Op]:
    at, places = one.address, [_place(one, number) for number in range(len(one.operands))]
    if word in ("mov", "movabs") and places[0] is not None:
        yield _set(at, places[0], _source(one, 1))
    elif word == "lea" and places[0] is not None:
        yield _set(at, places[0], _address(one))
    elif word in ("xor", "sub") and places[0] is not None and places[0] == places[1]:
        yield _set(at, places[0], 0)
    elif word in ("add", "sub", "inc", "dec") and places[0] is not None and not places[0].memory:
        amount = _source(one, 1) if len(places) > 1 else 1
        known = isinstance(amount, int)
        sign = -1 if word in ("sub", "dec") else 1
        source = Sum(register=places[0].register, offset=sign * amount) if isinstance(amount, int) else None
        yield Op(kind="set" if known else "lose", address=at, into=places[0], source=source)
    elif word == "push":
        yield Op(kind="set", address=at, into=Place(register="rsp"), source=Sum(register="rsp", offset=-8))
        yield _set(at, Place(register="rsp", memory=True), _source(one, 0))
    elif word == "pop" and places[0] is not None:
        yield _set(at, places[0], Place(register="rsp", memory=True))
        yield Op(kind="set", address=at, into=Place(register="rsp"), source=Sum(register="rsp", offset=8))
    else:
        yield _lose(one)


def _set(at: int, into: Place, source: Source) -> Op:
    if not into.memory and into.size < 4:
        return Op(kind="lose", address=at, into=into)
    if isinstance(source, int):
        source &= 0xFFFFFFFF if into.size == 4 else 0xFFFFFFFFFFFFFFFF
    return Op(kind="set", address=at, into=into, source=source)


def _lose(one: CsInsn) -> Op:
    """An instruction whose results are of no interest: what it writes is anything."""
    written = {_REGISTERS[name][0] for name in map(one.reg_name, one.regs_access()[1]) if name in _REGISTERS}
    first = _place(one, 0) if one.operands and one.mnemonic not in _READERS else None
    return Op(
        kind="lose", address=one.address, into=first if first and first.memory else None, loses=tuple(sorted(written))
    )


def _place(one: CsInsn, number: int) -> Place | None:
    """A general register, or memory by one register; None for all else."""
    from capstone.x86 import X86_OP_MEM, X86_OP_REG  # type: ignore[import-untyped]

    operand = one.operands[number]
    if operand.type == X86_OP_REG:
        found = _REGISTERS.get(one.reg_name(operand.reg))
        return Place(register=found[0], size=found[1]) if found else None
    if operand.type == X86_OP_MEM and not operand.mem.index and not operand.mem.segment:
        found = _REGISTERS.get(one.reg_name(operand.mem.base) or "")
        return Place(register=found[0], memory=True, offset=operand.mem.disp, size=operand.size) if found else None
    return None


def _source(one: CsInsn, number: int) -> Source:
    from capstone.x86 import X86_OP_IMM, X86_OP_MEM

    operand = one.operands[number]
    if operand.type == X86_OP_MEM and one.reg_name(operand.mem.base) == "rip" and not operand.mem.index:
        return Cell(address=one.address + one.size + operand.mem.disp)
    return int(operand.imm) if operand.type == X86_OP_IMM else _place(one, number)


def _address(one: CsInsn) -> Source:
    """What `lea` computes."""
    cell = one.operands[1].mem
    base = one.reg_name(cell.base) or ""
    if cell.index:
        return None
    if base == "rip":
        return int(one.address + one.size + cell.disp)
    return Sum(register=base, offset=cell.disp) if _REGISTERS.get(base, ("", 0))[1] == 8 else None


def _target(one: CsInsn) -> int | None:
    from capstone.x86 import X86_OP_IMM

    operand = one.operands[0]
    return int(operand.imm) if operand.type == X86_OP_IMM else None


def _table(one: CsInsn) -> Source:
    """`jmp [base + index*8]`: the table is at the base."""
    from capstone.x86 import X86_OP_MEM

    operand = one.operands[0]
    if operand.type != X86_OP_MEM or not operand.mem.index or operand.mem.scale != 8:
        return None
    base = one.reg_name(operand.mem.base) or ""
    return Sum(register=base, offset=operand.mem.disp) if base in _REGISTERS else None
