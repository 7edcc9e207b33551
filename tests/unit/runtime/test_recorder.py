"""What single system calls say: read out of this very process's memory, as it would be read out of a container's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs_in_c import HOST
from tests.support.servers import need_root, short_folder
from wherry.formats import syscalls
from wherry.model.recording import Bound, FileUse, Intent, Reached, Recording, State
from wherry.runtime.record.inside import Inside
from wherry.runtime.record.recorder import Recorder

NUMBERS = {name: number for number, name in syscalls.names(HOST.architecture).items()}
HERE = os.getpid()
AT_FDCWD = 0xFFFFFF9C


class Told:
    """A recorder of this process, told of calls by name; arguments that are texts or bytes are put into memory."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.recorder = Recorder(HOST.architecture, frozenset(("write",)), lambda: self.counts)
        self.kept: list[object] = []

    def __call__(self, name: str, *arguments: object) -> None:
        number = NUMBERS[name]
        self.counts[number] = self.counts.get(number, 0) + 1
        values = [self._value(one) for one in arguments]
        if number in self.recorder.shown:
            self.recorder.see(HERE, number, (*values, *(0,) * (6 - len(values))))

    def _value(self, given: object) -> int:
        if isinstance(given, int):
            return given
        data = given.encode() + b"\0" if isinstance(given, str) else bytes(memoryview(given))  # type: ignore[arg-type]
        buffer = ctypes.create_string_buffer(data, len(data))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)

    def recording(self) -> Recording:
        return self.recorder.recording(frozenset(("keyctl",)))


@pytest.fixture
def told() -> Told:
    told = Told()
    told("futex", 0)
    told("openat", AT_FDCWD, "/proc/self/fd", 0)
    told("execve", "/app/server")
    return told


def files(recording: Recording) -> set[tuple[str, str, str]]:
    return {(one.path, one.intent, one.state) for one in recording.files}


def test_the_engine_ends_where_the_program_begins(told: Told) -> None:
    told("futex", 0)
    told("keyctl", 0)
    told("futex", 0)
    made = told.recording()
    assert made.engine == ("execve", "futex", "openat")
    assert made.calls == (("execve", 1), ("futex", 2))
    assert made.refused == (("keyctl", 1),)
    assert made.started
    assert files(made) == {("/app/server", "run", "missing")}


def test_nothing_is_recorded_before_a_program() -> None:
    told = Told()
    told("openat", AT_FDCWD, "/etc/passwd", 0)
    made = told.recording()
    assert not made.started
    assert made.calls == ()
    assert made.files == ()


def test_files_and_what_became_of_them(told: Told, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("x")
    told("openat", AT_FDCWD, str(there), os.O_RDONLY | os.O_CLOEXEC)
    told("openat", AT_FDCWD, str(there), os.O_RDONLY)
    told("openat", AT_FDCWD, f"{tmp_path}/./new", os.O_WRONLY | os.O_CREAT)
    told("newfstatat", AT_FDCWD, f"{tmp_path}/gone", 0, 0)
    told("renameat", AT_FDCWD, str(there), AT_FDCWD, f"{tmp_path}/moved")
    told("openat2", AT_FDCWD, str(there), struct.pack("=QQQ", os.O_RDWR, 0, 0), 24)
    found = files(told.recording()) - {("/app/server", "run", "missing")}
    assert found == {
        (str(there), "read", "there"),
        (f"{tmp_path}/new", "write", "there"),
        (f"{tmp_path}/gone", "look", "missing"),
        (str(there), "write", "there"),
        (f"{tmp_path}/moved", "write", "there"),
    }
    assert FileUse(path=str(there), intent="read", state="there", times=2) in told.recording().files


def test_paths_are_relative_to_folders(told: Told, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        told("openat", descriptor, "inside", 0)
        told("newfstatat", descriptor, "", 0, 0x1000)
        told("openat", AT_FDCWD, "beside", 0)
    finally:
        os.close(descriptor)
    paths = {one.path for one in told.recording().files}
    assert {f"{tmp_path}/inside", str(tmp_path), f"{Path.cwd()}/beside"} <= paths


def test_links_are_followed(told: Told, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere/../at/all")
    (tmp_path / "loop").symlink_to("loop")
    told("openat", AT_FDCWD, f"{tmp_path}/link", 0)
    told("openat", AT_FDCWD, f"{tmp_path}/loop", 0)
    told("openat", AT_FDCWD, "/proc/self/status", 0)
    states = {one.path: one.state for one in told.recording().files}
    assert states[f"{tmp_path}/link"] == "missing"
    assert f"{tmp_path}/loop" in states
    assert states["/proc/self/status"] == "there"


def inet(address: str, port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(address) + bytes(8)


def test_addresses(told: Told) -> None:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        told("bind", tcp.fileno(), inet("0.0.0.0", 8080), 16)
        told("connect", udp.fileno(), inet("127.0.0.1", 53), 16)
        told("sendto", udp.fileno(), 0, 0, 0, inet("127.0.0.1", 53), 16)
        six = struct.pack("=H", socket.AF_INET6) + struct.pack(">H", 443) + bytes(4) + bytes(15) + b"\x01" + bytes(4)
        told("connect", tcp.fileno(), six, 28)
        told("connect", tcp.fileno(), struct.pack("=H", socket.AF_UNIX) + b"/run/x.sock\0", 14)
        told("connect", tcp.fileno(), struct.pack("=H", socket.AF_NETLINK) + bytes(10), 12)
        made = told.recording()
    assert made.bound == (Bound(protocol="tcp", address="0.0.0.0", port=8080),)
    assert set(made.reached) == {
        Reached(protocol="udp", address="127.0.0.1", port=53, times=2),
        Reached(protocol="tcp", address="::1", port=443),
        Reached(protocol="unix", address="/run/x.sock"),
    }


@pytest.mark.parametrize("address", [0, 1, 1 << 46])
def test_nonsense_is_no_error(told: Told, address: int) -> None:
    told("openat", AT_FDCWD, address, 0)
    told("connect", 5, address, 16)
    told("openat2", AT_FDCWD, "/x", address, 24)
    assert told.recording().trouble == ""


def test_a_thread_that_is_gone_is_no_error(told: Told) -> None:
    told.recorder.see(2**22 + 1, NUMBERS["openat"], (AT_FDCWD, 4096, 0, 0, 0, 0))
    assert told.recording().trouble == ""


def test_who_may_what() -> None:
    """As a user without rights: what the mode bits forbid is denied."""
    need_root()
    with short_folder() as folder, somebody_else() as thread:
        folder.chmod(0o755)
        closed = folder / "closed"
        closed.write_text("x")
        closed.chmod(0o600)
        inside = Inside(thread)
        wanted: tuple[tuple[str, Intent, State], ...] = (
            (str(closed), "read", "denied"),
            (str(closed), "look", "there"),
            (f"{folder}/new", "write", "denied"),
            ("/proc/self/status", "read", "there"),
            (f"{folder}/none", "read", "missing"),
        )
        assert [inside.state(path, intent) for path, intent, _ in wanted] == [state for _, _, state in wanted]


@contextlib.contextmanager
def somebody_else() -> Iterator[int]:
    """A process that stands still as uid 65532."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(65532, 65532, 65532)
        os.setresuid(65532, 65532, 65532)
        os.write(writing, b"x")
        while True:
            signal.pause()
    try:
        os.read(reading, 1)
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
