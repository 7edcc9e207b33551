"""Single system calls to a Recording. Thread ids, numbers and arguments in, files, ports and hosts out; reads the memory of
threads and what /proc says of them.

The application waits for each call, so what was seen before is not worked out again: a path that was wanted for the same thing is
counted.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import struct
from collections.abc import Callable, Mapping
from typing import Final, Literal, cast

from wherry.formats import syscalls
from wherry.kit.notices import Heard
from wherry.model.recording import Bound, FileUse, Intent, Reached, Recording, State
from wherry.runtime.record.calls import ADDRESSES, PATHS, SHOWN, WRITES, Address, Path
from wherry.runtime.record.inside import Inside

_UNIX, _INET, _INET6 = 1, 2, 10
_LONGEST: Final = 4096
_MOST: Final = 20_000
"""Different files, and addresses; what comes after is not told apart any more."""
Protocol = Literal["tcp", "udp", "unix", "other"]
Counts = Callable[[], Mapping[int, int]]


class Recorder:
    """Collects what `see` is told; `counts` says how often each number was seen by whoever counts."""

    def __init__(self, architecture: str, silent: frozenset[str], counts: Counts) -> None:
        self.names = syscalls.names(architecture)
        self.silent, self.counts = silent, counts
        self.shown = frozenset(number for number, name in self.names.items() if name in SHOWN)
        self.before: dict[int, int] | None = None
        """What the runtime had called when the program was started."""
        self.files: dict[tuple[str, Intent], list[object]] = {}
        self.bound: dict[Bound, int] = {}
        self.reached: dict[tuple[Protocol, str, int], int] = {}
        self.overflow = False
        self._paths = {number: PATHS[name] for number, name in self.names.items() if name in PATHS}
        self._addresses = {number: ADDRESSES[name] for number, name in self.names.items() if name in ADDRESSES}
        self._execve = frozenset(number for number, name in self.names.items() if name in ("execve", "execveat"))
        self._inside: dict[int, Inside] = {}

    def see(self, thread: int, number: int, arguments: tuple[int, ...]) -> None:
        """One call that is about to happen."""
        if self.before is None:
            if number not in self._execve:
                return
            self.before = dict(self.counts())
        with contextlib.suppress(OSError, ValueError, struct.error):  # the thread is gone, or handed over nonsense
            for path in self._paths.get(number, ()):
                self._file(thread, path, arguments)
            if number in self._addresses:
                self._address(thread, self._addresses[number], arguments)

    def recording(self, refused: frozenset[str], trouble: str = "") -> Recording:
        """All that was seen. `refused`: names that were not let through."""
        before = self.before or {}
        rows = {
            self.names.get(number, f"call {number}"): times - (before.get(number, 0) - (number in self._execve))
            for number, times in self.counts().items()
        }
        calls = sorted((name, times) for name, times in rows.items() if times > 0)
        files = (
            FileUse(path=path, intent=intent, state=cast(State, seen[0]), times=cast(int, seen[1]))
            for (path, intent), seen in self.files.items()
        )
        return Recording(
            calls=tuple((name, times) for name, times in calls if name not in refused) if self.before else (),
            refused=tuple((name, times) for name, times in calls if name in refused),
            engine=tuple(sorted(self.names.get(number, "") for number in before)),
            silent=tuple(sorted(self.silent)),
            files=tuple(sorted(files, key=lambda one: (one.path, one.intent))),
            bound=tuple(sorted(self.bound, key=lambda one: (one.protocol, one.port, one.address))),
            reached=tuple(
                Reached(protocol=kind, address=address, port=port, times=times)
                for (kind, address, port), times in sorted(self.reached.items())
            ),
            started=self.before is not None,
            trouble=trouble or ("more files and addresses than are told apart" if self.overflow else ""),
        )

    def _file(self, thread: int, path: Path, arguments: tuple[int, ...]) -> None:
        address = arguments[path.at]
        if not address:
            return
        text = _string(thread, address)
        intent = path.intent
        if path.flags >= 0:
            flags = arguments[path.flags]
            if path.behind:
                (flags,) = struct.unpack("=Q", _memory(thread, flags, 8))
            intent = "write" if flags & WRITES else "read"
        folder = _signed(arguments[path.folder]) if path.folder >= 0 else -1
        if not text and folder < 0:
            return
        inside = self._of(thread)
        where = inside.absolute(text, folder)
        known = self.files.get((where, intent))
        if known is not None:
            known[1] = cast(int, known[1]) + 1
        elif len(self.files) < _MOST:
            self.files[where, intent] = [inside.state(where, intent), 1]
        else:
            self.overflow = True

    def _of(self, thread: int) -> Inside:
        """Threads of one container share its root and user; a few programs change theirs, so it is asked for each thread."""
        if thread not in self._inside:
            self._inside[thread] = Inside(thread)
        return self._inside[thread]

    def _address(self, thread: int, where: Address, arguments: tuple[int, ...]) -> None:
        address, size = arguments[where.at], arguments[where.size] if where.size >= 0 else 0
        if where.header:
            address, size = struct.unpack("=QI", _memory(thread, address, 12))
        if not address or not 2 <= (size & 0xFFFFFFFF) <= 128:
            return
        told = _socket_address(_memory(thread, address, size & 0xFFFFFFFF))
        if told is None:
            return
        kind: Protocol = "unix" if told[0] == "unix" else _protocol(thread, _signed(arguments[0]))
        if where.bind:
            self.bound[Bound(protocol=kind, address=told[1], port=told[2])] = 1
        elif len(self.reached) < _MOST:
            key = (kind, told[1], told[2])
            self.reached[key] = self.reached.get(key, 0) + 1
        else:
            self.overflow = True


def overheard(heard: tuple[Heard, ...], architecture: str, silent: frozenset[str], trouble: str) -> Recording:
    """What audit records say: names, and no more."""
    names = syscalls.names(architecture)
    said = [(names.get(one.number, f"call {one.number}"), one) for one in heard]
    calls = sorted((name, one.times) for name, one in said if not one.engine and name not in silent)
    return Recording(
        calls=tuple(calls),
        engine=tuple(sorted(name for name, one in said if one.engine)),
        silent=tuple(sorted(silent)),
        started=bool(calls),
        trouble=trouble,
        detailed=False,
    )


def _signed(number: int) -> int:
    """A C int out of a register."""
    return (number & 0xFFFFFFFF) - ((number & 0x80000000) << 1)


def _memory(thread: int, address: int, size: int) -> bytes:
    descriptor = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size, address)
    finally:
        os.close(descriptor)


def _string(thread: int, address: int) -> str:
    """Up to the zero byte; read in pieces that do not cross a page, since the next page may not be there."""
    data = b""
    descriptor = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        while len(data) < _LONGEST:
            size = 256 - (address + len(data)) % 256
            piece = os.pread(descriptor, size, address + len(data))
            data += piece
            if not piece or b"\0" in piece:
                break
    finally:
        os.close(descriptor)
    return data.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _socket_address(data: bytes) -> tuple[str, str, int] | None:
    """Family, address, port; None for families that lead nowhere outside (netlink)."""
    (family,) = struct.unpack_from("=H", data)
    if family == _INET and len(data) >= 8:
        return "inet", str(ipaddress.IPv4Address(data[4:8])), int.from_bytes(data[2:4], "big")
    if family == _INET6 and len(data) >= 24:
        return "inet", _six(data[8:24]), int.from_bytes(data[2:4], "big")
    if family == _UNIX and len(data) > 2:
        name = data[2:]
        text = "@" + name[1:].decode("utf-8", "replace") if name[:1] == b"\0" else name.partition(b"\0")[0].decode()
        return ("unix", text, 0) if text else None
    return None


def _six(data: bytes) -> str:
    """As people write it: ::ffff:127.0.0.1 and not ::ffff:7f00:1."""
    address = ipaddress.IPv6Address(data)
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)


def _protocol(thread: int, descriptor: int) -> Protocol:
    """What kind of socket it is, as the kernel names it (`system.sockprotoname`)."""
    try:
        name = os.getxattr(f"/proc/{thread}/fd/{descriptor}", "system.sockprotoname").rstrip(b"\0").decode()
    except OSError:
        return "other"
    return "tcp" if name.startswith(("TCP", "MPTCP")) else "udp" if name.startswith("UDP") else "other"
