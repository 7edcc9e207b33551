"""What registers and stack slots hold at each instruction of one function. Operations in, values at its calls out; touches
nothing.

A forward data-flow analysis over the function's own jumps. Both architectures are translated into the few operations below;
whatever an instruction does beside them only loses knowledge. A value is a set of possible atoms: numbers, places of the stack,
what some register or slot held when the function was entered, what a variable holds. `None` is anything.

Assumed, as Go's compiler guarantees it: nobody writes a frame's slots but by its stack pointer, unless their address was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from wherry.kit.value import Value

Key = str | int
"""A register by name, or a stack slot by its offset from the stack pointer at the function's entry."""
Atom = int | tuple[Literal["entry", "stack", "cell"], Key]
Values = frozenset[Atom] | None
State = dict[Key, Values]
"""What is known; a key that is missing holds what it held at the entry."""
_MOST: Final = 64
"""Atoms of one value."""


class Place(Value, frozen=True, kw_only=True):
    """A register, or with `memory` what lies `offset` bytes beyond where it points."""

    register: str
    memory: bool = False
    offset: int = 0
    size: int = 8


class Sum(Value, frozen=True, kw_only=True):
    """A register plus a constant."""

    register: str
    offset: int


class Cell(Value, frozen=True, kw_only=True):
    """A variable of the program, at a fixed address."""

    address: int


Source = int | Place | Sum | Cell | None


class Op(Value, frozen=True, kw_only=True):
    """What an instruction does, as far as it matters here.

    set: `into` gets `source`. lose: `into` and `loses` hold anything. jump, branch (may go on), call: to `to`, None for
    somewhere. kernel: a system call. end: control does not come back.
    """

    kind: Literal["set", "lose", "jump", "branch", "call", "kernel", "end"]
    address: int
    into: Place | None = None
    source: Source = None
    loses: tuple[str, ...] = ()
    to: int | None = None
    table: Source = None
    """For a jump to somewhere: where the table of its targets lies, when the instruction reads one."""


class Convention(Value, frozen=True, kw_only=True):
    """What an architecture's calls do: its stack pointer, what a call pushes, the register of a system call's number and of the
    first argument of Go's functions, what the kernel destroys."""

    stack: str
    pushed: int
    number: str
    first: str
    kernel: tuple[str, ...]
    registers: tuple[str, ...]
    """All that a called function may change."""


class Site(Value, frozen=True, kw_only=True):
    """A call or system call with what was known before it."""

    address: int
    kind: str
    to: int | None
    state: State
    tail: bool = False
    """A jump into another function: its caller's frame is the caller's."""


class Flow:
    """One function's analysis. `ops` by address, each instruction's one after the other; `read` gives the 8-byte number at
    an address of the program, or None."""

    def __init__(
        self, ops: list[Op], ends: tuple[int, int], convention: Convention, read: Callable[[int], int | None]
    ) -> None:
        self.ops, self.convention, self.read = ops, convention, read
        self.first, self.last = ends
        self.index = {op.address: number for number, op in reversed(list(enumerate(ops)))}
        self.blocks = self._blocks()
        self.entries: dict[int, State] = {0: {}}

    def sites(self) -> list[Site]:
        """All calls and system calls that control can reach."""
        pending = {0}
        while pending:
            start = min(pending)  # in the code's order most blocks are run once
            pending.remove(start)
            for target, state in self._through(start, dict(self.entries[start]), None):
                known = self.entries.get(target)
                joined = state if known is None else join(known, state)
                if joined != known:
                    self.entries[target] = dict(joined)
                    pending.add(target)
        found: list[Site] = []
        for start in sorted(self.entries):
            for _ in self._through(start, dict(self.entries[start]), found):
                pass
        return found

    def _blocks(self) -> frozenset[int]:
        """Numbers of operations where a block begins."""
        starts = {0}
        for number, op in enumerate(self.ops):
            if op.to in self.index and op.kind in ("jump", "branch"):
                starts.add(self.index[op.to])
            if op.kind in ("jump", "branch", "end"):
                starts.add(number + 1)
        return frozenset(starts)

    def _through(self, start: int, state: State, found: list[Site] | None) -> Iterable[tuple[int, State]]:
        """Runs one block; gives the blocks after it with what they are entered with."""
        for number in range(start, len(self.ops)):
            if number != start and number in self.blocks:
                return [(number, state)]
            op = self.ops[number]
            if found is not None and (op.kind in ("call", "kernel") or self._leaves(op)):
                found.append(Site(address=op.address, kind=op.kind, to=op.to, state=dict(state), tail=self._leaves(op)))
            if op.kind in ("jump", "branch"):
                after = [(self.index[op.to], state)] if op.to in self.index else self._somewhere(op, state)
                return after + ([(number + 1, state)] if op.kind == "branch" and number + 1 < len(self.ops) else [])
            if op.kind == "end":
                return []
            step(op, state, self.convention)
        return []

    def _leaves(self, op: Op) -> bool:
        return op.kind in ("jump", "branch") and op.to is not None and not self.first <= op.to < self.last

    def _somewhere(self, op: Op, state: State) -> list[tuple[int, State]]:
        """A jump by a register or a table: to the table's targets when it can be read, else to every block."""
        if self._leaves(op):
            return []
        table = value(op.table, state)
        if table and len(table) == 1 and isinstance(base := next(iter(table)), int):
            targets = []
            while (target := self.read(base)) in self.index:
                targets.append((self.index[target or 0], state))
                base += 8
            if targets:
                self.blocks |= {number for number, _ in targets}
                return targets
        return [(number, state) for number in self.blocks if number < len(self.ops)]


def value(source: Source, state: State) -> Values:
    """What `source` may be."""
    if source is None:
        return None
    if isinstance(source, Cell):
        return frozenset((("cell", source.address),))
    if isinstance(source, int):
        return frozenset((source,))
    if isinstance(source, Place) and source.memory:
        return memory(source, state)
    held = state.get(source.register, frozenset((("entry", source.register),)))
    return held if isinstance(source, Place) else _moved(held, source.offset)


def memory(place: Place, state: State) -> Values:
    """What lies at `place`; anything, unless that is one slot of the stack."""
    slot = _slot(place, state)
    return None if slot is None else state.get(slot, frozenset((("entry", slot),)))


def _slot(place: Place, state: State) -> int | None:
    held = _moved(state.get(place.register), place.offset)
    if held is None or len(held) != 1:
        return None
    (atom,) = held
    return atom[1] if isinstance(atom, tuple) and atom[0] == "stack" and isinstance(atom[1], int) else None


def _moved(held: Values, offset: int) -> Values:
    if held is None:
        return None
    moved: list[Atom] = []
    for atom in held:
        if isinstance(atom, int):
            moved.append((atom + offset) & 0xFFFFFFFFFFFFFFFF)
        elif atom[0] == "stack" and isinstance(atom[1], int):
            moved.append(("stack", atom[1] + offset))
        elif offset:
            return None
        else:
            moved.append(atom)
    return frozenset(moved)


def step(op: Op, state: State, convention: Convention) -> None:
    """Changes `state` as `op` does."""
    match op.kind:
        case "set" | "lose":
            for register in op.loses:
                state[register] = None
            if op.into is not None:
                _store(op.into, value(op.source, state) if op.kind == "set" else None, state)
        case "call":
            for register in convention.registers:
                state[register] = None
        case "kernel":
            for register in convention.kernel:
                state[register] = None
        case "jump" | "branch" | "end":
            pass


def _store(place: Place, held: Values, state: State) -> None:
    if not place.memory:
        state[place.register] = held
        return
    slot = _slot(place, state)
    if slot is None:
        return
    for other in range(slot - 7, slot + place.size):
        if other in state or other in range(slot + 8, slot + place.size, 8):
            state[other] = None
    state[slot] = held if place.size in (4, 8) else None


def join(one: State, other: State) -> State:
    """What holds whichever way control came."""
    joined = dict(one)
    differs = (key for key in one.keys() | other.keys() if key not in one or key not in other or one[key] != other[key])
    for key in differs:
        ways = [state[key] if key in state else frozenset((("entry", key),)) for state in (one, other)]
        union: set[Atom] = set()
        for way in ways:
            union |= way or set()
        joined[key] = None if None in ways or len(union) > _MOST else frozenset(union)
    return joined


def start(convention: Convention) -> State:
    """What is known at a function's entry."""
    return {convention.stack: frozenset((("stack", 0),))}
