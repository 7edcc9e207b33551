"""Which numbers reach a program's system calls. A Go program's bytes in, numbers with the functions that use them out; touches
nothing.

A function whose number is its own argument (`syscall.Syscall`) is a gate: the search goes on at whoever calls it, with
that argument, until numbers are constants. A site where it is anything else, and a gate whose address is taken, are said:
the answer is not complete then.
"""

from __future__ import annotations

import mmap
import struct
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import msgspec

from wherry.formats import elf
from wherry.formats.pclntab import Functions
from wherry.kit.value import Value
from wherry.runtime.ceiling import amd64, arm64
from wherry.runtime.ceiling.code import Atom, Flow, Key, Op, Place, Site, Values, start, value

ARCHITECTURES: Final[dict[str, ModuleType]] = {"amd64": amd64, "arm64": arm64}
#: Where a number travels through memory: the function that has it in the end, and the one that is called with it, as its first
#: argument (src/runtime/proc.go and signal_unix.go of Go: a system call for every thread, as setuid needs it).
CARRIED: Final = {"runtime.runPerThreadSyscall": "syscall.runtime_doAllThreadsSyscall"}


class Unclear(Value, frozen=True, kw_only=True):
    """A place whose system call is not known."""

    function: str
    address: int
    why: str


class Numbers(Value, frozen=True, kw_only=True):
    """What was found: each number with the functions that use it, sorted; and what stayed unclear."""

    numbers: tuple[tuple[int, tuple[str, ...]], ...]
    unclear: tuple[Unclear, ...]


class Program(Value, frozen=True, kw_only=True):
    """A Go program with what is known of its layout."""

    data: bytes | mmap.mmap
    architecture: str
    segments: tuple[elf.Segment, ...]
    functions: Functions


def search(program: Program) -> Numbers:
    """All numbers in `program`, whose architecture must be one of ARCHITECTURES."""
    return _Search(program).run()


class _Search:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.machine = ARCHITECTURES[program.architecture]
        self.convention = self.machine.CONVENTION
        self.functions = program.functions
        self.code = [self._code(part) for part in program.segments if part.executable]
        self.restarts = frozenset(address for name, address in self._named() if name.startswith("runtime.morestack"))
        self.variables: dict[int, int | None] = {}
        self.analysed: dict[int, list[Site]] = {}
        self.numbers: dict[int, set[str]] = defaultdict(set)
        self.unclear: list[Unclear] = []
        self.gates: set[tuple[int, Key]] = set()
        self.pending: list[tuple[int, Key]] = []

    def _code(self, part: elf.Segment) -> tuple[memoryview, int]:
        """Its bytes and their address, from behind the build ID that the linker puts before the first function: as random as it
        is, one in some thousand reads as a call of the kernel."""
        data = memoryview(self.program.data)[part.offset : part.offset + part.size]
        front = data[: max(0, self.functions.starts[0] - part.address)]
        note = elf.BUILD_ID.search(front)
        skipped = min(note.end() + note[1][0], len(front)) if note else 0
        return data[skipped:], part.address + skipped

    def run(self) -> Numbers:
        calls, taken = self._references()
        self._carry()
        for number in sorted(set(self._kernel())):
            for site in self._sites(number):
                if site.kind == "kernel":
                    self._judge(number, site, value(Place(register=self.convention.number), site.state))
        while self.pending:
            entry, key = self.pending.pop()
            for caller in sorted(calls.get(entry, ())):
                for site in self._sites(caller):
                    if site.to == entry:
                        self._judge(caller, site, self._argument(site, key))
        self._taken(taken)
        return Numbers(
            numbers=tuple((number, tuple(sorted(names))) for number, names in sorted(self.numbers.items())),
            unclear=tuple(sorted(set(self.unclear), key=lambda one: (one.function, one.address))),
        )

    def _carry(self) -> None:
        """Gates that the search cannot see: the number travels through memory to another function."""
        for name, address in self._named():
            if name in CARRIED.values():
                self.gates.add((address, self.convention.first))
                self.pending.append((address, self.convention.first))

    def _named(self) -> Iterator[tuple[str, int]]:
        for number, address in enumerate(self.functions.starts[:-1]):
            yield self.functions.at(number).name, address

    def _kernel(self) -> Iterator[int]:
        for code, address in self.code:
            for at in self.machine.kernel_calls(code, address):
                number = self.functions.number(at)
                if number < 0:
                    self.unclear.append(Unclear(function="", address=at, why="code that is not Go's"))
                else:
                    yield number

    def _references(self) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """For each function's address who calls it, and who takes its address, by number."""
        calls: dict[int, set[int]] = defaultdict(set)
        taken: dict[int, set[int]] = defaultdict(set)
        known = frozenset(self.functions.starts)
        for code, address in self.code:
            for origin, to, call in self.machine.references(code, address):
                if to in known:
                    (calls if call else taken)[to].add(self.functions.number(origin))
        return calls, taken

    def _sites(self, number: int) -> list[Site]:
        if number not in self.analysed:
            begin, end = self.functions.starts[number], self.functions.starts[number + 1]
            code = next(
                (bytes(code[begin - at : end - at]) for code, at in self.code if at <= begin < at + len(code)), b""
            )
            ops = [self._prepared(op) for op in self.machine.operations(code, begin)]
            flow = Flow(ops, (begin, end), self.convention, self._read)
            flow.entries[0] = start(self.convention)
            self.analysed[number] = flow.sites()
        return self.analysed[number]

    def _prepared(self, op: Op) -> Op:
        """A call of runtime.morestack is where a function ends: it starts again, with what it got, on a larger stack."""
        return msgspec.structs.replace(op, kind="end") if op.kind == "call" and op.to in self.restarts else op

    def _variable(self, address: int) -> int | None:
        """What the file says a variable holds, when nothing writes it; 8 bytes of it, as Go's system calls want them."""
        if address not in self.variables:
            written = any(self.machine.written(code, at, address) for code, at in self.code)
            self.variables[address] = None if written else self._read(address)
        return self.variables[address]

    def _read(self, address: int) -> int | None:
        for part in self.program.segments:
            if part.address <= address <= part.address + part.size - 8:
                (number,) = struct.unpack_from("<Q", self.program.data, part.offset + address - part.address)
                return int(number)
        return None

    def _argument(self, site: Site, key: Key) -> Values:
        """What the called function finds in `key`, seen from the caller."""
        if isinstance(key, str):
            return value(Place(register=key), site.state)
        pushed = 0 if site.tail else self.convention.pushed
        return value(Place(register=self.convention.stack, memory=True, offset=key - pushed), site.state)

    def _judge(self, number: int, site: Site, values: Values) -> None:
        for atom in values if values is not None else (None,):
            self._atom(number, site, atom)

    def _atom(self, number: int, site: Site, atom: Atom | None) -> None:
        function = self.functions.at(number)
        if isinstance(atom, tuple) and atom[0] == "cell" and isinstance(atom[1], int):
            atom = self._variable(atom[1])
        if isinstance(atom, int):
            self.numbers[atom & 0xFFFFFFFF].add(function.name)
        elif atom is not None and atom[0] == "entry" and not (isinstance(atom[1], int) and atom[1] < 0):
            gate = (function.address, atom[1])
            if gate not in self.gates:
                self.gates.add(gate)
                self.pending.append(gate)
        elif function.name not in CARRIED:
            self.unclear.append(Unclear(function=function.name, address=site.address, why="its number is computed"))

    def _taken(self, taken: dict[int, set[int]]) -> None:
        """Gates that may be called by a value of function type."""
        for entry in sorted({entry for entry, _ in self.gates}):
            name = self.functions.at(self.functions.number(entry)).name
            places = [self.functions.at(one).name for one in sorted(taken.get(entry, ()))]
            places += ["data"] * self._in_data(entry)
            for place in dict.fromkeys(places):
                why = f"it may be called by a function value, from {place}"
                self.unclear.append(Unclear(function=name, address=entry, why=why))

    def _in_data(self, address: int) -> bool:
        """Whether a pointer to `address` lies anywhere, where pointers lie."""
        wanted = struct.pack("<Q", address)
        for part in self.program.segments:
            at = self.program.data.find(wanted, part.offset, part.offset + part.size)
            while at >= 0:
                if (part.address + at - part.offset) % 8 == 0:
                    return True
                at = self.program.data.find(wanted, at + 1, part.offset + part.size)
        return False
