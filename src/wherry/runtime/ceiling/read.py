"""The static ceiling of a binary: every system call that its code can make. A binary's file in, names with the functions that
make them out; reads the file, runs nothing.

Known for Go programs without C on amd64 and arm64. For all else there is no ceiling, and the reason is said: an answer that
left something out would make a profile that kills.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

from wherry.errors import UnknownError
from wherry.formats import elf, pclntab, syscalls
from wherry.formats.pclntab import Functions
from wherry.kit.value import Value
from wherry.runtime.ceiling.search import ARCHITECTURES, Program, Unclear, search

#: The machine's own library in every process (vdso(7)) and the kernel itself make these in the program's name: the clock where it
#: cannot be read without a call, the way back from a signal, and the rest of a wait after SIGCONT or an unfrozen cgroup.
KERNELS_OWN: Final = (
    "clock_gettime",
    "clock_getres",
    "getcpu",
    "gettimeofday",
    "restart_syscall",
    "rt_sigreturn",
    "time",
)
_RUNTIME: Final = ("runtime.", "internal/runtime/")


class Use(Value, frozen=True, kw_only=True):
    """One system call and the functions that make it."""

    name: str
    functions: tuple[str, ...]

    @property
    def by_runtime(self) -> bool:
        """Go's runtime makes it: for its own purposes (collecting, preempting), whatever the program does."""
        return any(name.startswith(_RUNTIME) for name in self.functions)


class Ceiling(Value, frozen=True, kw_only=True):
    """What a binary's code can call. Not `complete`: only what was found, there may be more, and `unclear` or `why` say where."""

    architecture: str
    uses: tuple[Use, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    why: str = ""
    """Why nothing could be read; empty when it was."""

    @property
    def complete(self) -> bool:
        return not self.unclear and not self.why

    @property
    def names(self) -> frozenset[str]:
        """With what the kernel does in its name."""
        known = syscalls.names(self.architecture).values() if self.architecture in syscalls.COLUMNS else ()
        return frozenset(use.name for use in self.uses) | (frozenset(KERNELS_OWN) & frozenset(known))

    @property
    def runtime_names(self) -> frozenset[str]:
        """Those that Go's runtime makes for itself."""
        return frozenset(use.name for use in self.uses if use.by_runtime)


def ceiling(file: str) -> Ceiling:
    """The ceiling of the binary at `file`. Raises CorruptError [bad-elf] or [bad-pclntab], UnknownError [unreadable-binary]."""
    try:
        with Path(file).open("rb") as opened:
            data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise UnknownError("unreadable-binary", f"{file} cannot be read: {error}", where=file) from error
    head = elf.parse(data, name=file)
    why = _foreign(head)
    functions = None if why else pclntab.parse(data, name=file)
    if functions is not None:
        why = _with_c(functions)
    elif not why:
        why = "it has no function table of Go 1.18 or later"
    if why or functions is None:
        return Ceiling(architecture=head.architecture, why=why)
    segments = elf.loaded(data, name=file)
    return _named(Program(data=data, architecture=head.architecture, segments=segments, functions=functions))


def _foreign(head: elf.Elf) -> str:
    if head.architecture not in ARCHITECTURES or head.bits != 64:
        return f"code of {head.architecture} is not read, only {' and '.join(ARCHITECTURES)}"
    if head.needed or head.interpreter:
        names = ", ".join(head.needed[:3]) or head.interpreter
        return f"it is linked dynamically ({names}), and libraries make calls of their own"
    return ""


def _with_c(functions: Functions) -> str:
    if b"\0runtime/cgo." in functions.names or b"\0_cgo_" in functions.names:
        return "it has C code in it (cgo)"
    return ""


def _named(program: Program) -> Ceiling:
    found, known = search(program), syscalls.names(program.architecture)
    unclear = list(found.unclear)
    uses = []
    for number, functions in found.numbers:
        if number in known:
            uses.append(Use(name=known[number], functions=functions))
        else:
            why = f"call number {number} has no name yet"
            unclear.append(Unclear(function=functions[0], address=0, why=why))
    uses.sort(key=lambda use: use.name)
    return Ceiling(architecture=program.architecture, uses=tuple(uses), unclear=tuple(unclear))
