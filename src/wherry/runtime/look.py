"""Looking at a process from outside, its network too. A process id in, observations out; reads /proc.

Nothing of this is in the image and nothing runs in the container.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import time
from pathlib import Path
from typing import Final

from wherry.model.observation import Identity, Socket, Sockets
from wherry.model.trials import Mount

YOUNG: Final = 2.0
"""Seconds that a program may need on a busy machine until it hears signals."""
SETS: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
KINDS: Final = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
NEAR: Final = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - what is compared with
"""Where a listener hears what is sent to this machine's loopback."""
LISTEN: Final = "0A"
ESTABLISHED: Final = "01"
"""TCP_LISTEN and TCP_ESTABLISHED in /proc/net/tcp."""


def identity(pid: int) -> Identity:
    """Who the process is and what it may do. OSError when it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    uids, gids = _map(pid, "uid_map"), _map(pid, "gid_map")
    host_uid = int(status["Uid"][1])
    return Identity(
        uid=_inside(host_uid, uids),
        gid=_inside(int(status["Gid"][1]), gids),
        groups=tuple(_inside(int(one), gids) for one in status["Groups"]),
        host_uid=host_uid,
        capabilities=tuple((name, int(status[name][0], 16)) for name in SETS if name in status),
        no_new_privileges=status["NoNewPrivs"] == ["1"] if "NoNewPrivs" in status else None,
        seccomp=int(status["Seccomp"][0]) if "Seccomp" in status else None,
        security=_security(pid),
        namespaces=_own_namespaces(pid),
    )


def _own_namespaces(pid: int) -> tuple[str, ...] | None:
    """The kinds of which the process has another namespace than we; None where we may not see that. OSError when it has ended:
    one that nobody has collected yet still has its state, and no namespaces."""
    ours = {kind: name for kind in KINDS if (name := _namespace("self", kind))}
    try:
        return tuple(kind for kind, name in ours.items() if str(Path(f"/proc/{pid}/ns/{kind}").readlink()) != name)
    except PermissionError:
        return None


def sockets(pid: int) -> Sockets:
    """Every port that its network listens on; with the machine's own network, those of its own processes alone."""
    own = _namespace(pid, "net") != _namespace("self", "net")
    inodes = None if own else _sockets_of(pid)
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for row in _rows(pid, name):
            listening = row[3] == LISTEN if name.startswith("tcp") else row[2].endswith(":0000")
            if listening and (inodes is None or row[9] in inodes):
                address, _, port = row[1].rpartition(":")
                found.append(Socket(protocol=name[:3], address=_address(address), port=int(port, 16)))
    unique = dict.fromkeys(found)
    return Sockets(
        listening=tuple(sorted(unique, key=lambda one: (one.port, one.protocol, one.address))), own_network=own
    )


def answers_at(pid: int, port: int) -> bool:
    """Whether what is sent to `port` of its loopback can come to nobody but its own processes. Always so in a network of its own;
    in this machine's, where any program may answer, every listener there must be one of them. `pid` 0: it ended before anybody
    knew its number, and the doors to its network would lead into this machine's."""
    if not pid:
        return False
    if _namespace(pid, "net") != _namespace("self", "net"):
        return True
    inodes = _sockets_of(pid)
    heard = [
        row[9] for name in ("tcp", "tcp6") for row in _rows(pid, name) if row[3] == LISTEN and _is_near(row[1], port)
    ]
    return bool(heard) and inodes.issuperset(heard)


def accepted(pid: int, port: int) -> int:
    """Connections to `port` in its network that were accepted, and all of whose bytes were read; one that still waits for that
    has no inode."""
    rows = (row for name in ("tcp", "tcp6") for row in _rows(pid, name))
    return sum(
        row[3] == ESTABLISHED and row[1].endswith(f":{port:04X}") and row[4].endswith(":00000000") and row[9] != "0"
        for row in rows
    )


def _is_near(place: str, port: int) -> bool:
    """`place` as in /proc/net/tcp."""
    address, _, number = place.rpartition(":")
    return int(number, 16) == port and _address(address) in NEAR


def mounts(pid: int) -> tuple[Mount, ...]:
    """All mounts that the process sees, in their order. OSError when it is gone."""
    found = []
    for line in Path(f"/proc/{pid}/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
        here, _, there = line.partition(" - ")
        words = here.split()
        path = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), words[4])
        found.append(Mount(path=path, kind=there.split()[0], options=tuple(words[5].split(","))))
    return tuple(found)


def until_it_hears(pid: int, number: int, seconds: float = 0.3) -> None:
    """Waits a moment for a program that has only just begun to handle signal `number`, and for one that is YOUNG until it is not.
    The first process of a namespace never gets a signal that it does not handle (pid_namespaces(7)), and so loses one that comes
    too early."""
    end = time.monotonic() + max(seconds, YOUNG - age(pid))
    while not hears(pid, number) and time.monotonic() < end:
        time.sleep(0.005)


def hears(pid: int, number: int) -> bool:
    """Whether the process has a handler for signal `number`, needs none (SIGKILL), or is gone."""
    if number in (9, 19):
        return True
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (number - 1) & 1)


def lives(pid: int) -> bool:
    """Whether the process is there and has not ended: one that nobody has collected yet has (Z, X in proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def born(pid: int) -> int:
    """When the process was started, in ticks since the machine was: by that one is told from another that has its number later
    (starttime in proc_pid_stat(5)). 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def age(pid: int) -> float:
    """Seconds since the process was started."""
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - born(pid) / os.sysconf("SC_CLK_TCK")


def parent_of(pid: int) -> int:
    """The process that collects it when it ends; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def zombies(pid: int) -> tuple[int, ...]:
    """Dead children that nobody collected, in the process namespace of `pid`."""
    wanted = _namespace(pid, "pid")
    return tuple(one for one, state in _processes() if state == "Z" and _namespace(one, "pid") == wanted)


def family(pid: int) -> tuple[int, ...]:
    """All processes of its namespace."""
    wanted = _namespace(pid, "pid")
    return tuple(one for one, _ in _processes() if _namespace(one, "pid") == wanted)


def _processes() -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                text = (entry / "stat").read_text()
                found.append((int(entry.name), text.rpartition(")")[2].split()[0]))
    return found


def _namespace(pid: int | str, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return ""


def _map(pid: int, name: str) -> list[tuple[int, int, int]]:
    rows = [line.split() for line in Path(f"/proc/{pid}/{name}").read_text().splitlines()]
    return [(int(inside), int(outside), int(size)) for inside, outside, size in rows]


def _inside(number: int, rows: list[tuple[int, int, int]]) -> int:
    return next(
        (inside + number - outside for inside, outside, size in rows if outside <= number < outside + size), number
    )


def _security(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/attr/current").read_text().strip("\0\n")
    except OSError:
        return ""


def _rows(pid: int, name: str) -> list[list[str]]:
    try:
        return [line.split() for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]]
    except OSError:
        return []


def _sockets_of(pid: int) -> frozenset[str]:
    found = set()
    for one in family(pid):
        with contextlib.suppress(OSError):
            for entry in Path(f"/proc/{one}/fd").iterdir():
                with contextlib.suppress(OSError):
                    target = str(entry.readlink())
                    if target.startswith("socket:["):
                        found.add(target[8:-1])
    return frozenset(found)


def _address(text: str) -> str:
    """The kernel writes addresses as hexadecimal words in the machine's order."""
    words = [bytes.fromhex(text[index : index + 8])[::-1] for index in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return str(address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else str(address)
