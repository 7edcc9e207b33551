"""A container and its machine side by side, as the kernel says them. A process in, rows out; reads /proc.

Only what was seen: nothing here repeats what was asked for.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from wherry.flows.runbook import Kept
from wherry.kit.value import Value
from wherry.model.observation import CAPABILITIES, capabilities_in
from wherry.plan.container.limits import shown
from wherry.runtime import cgroups

KINDS: Final = ("user", "pid", "net", "mnt", "ipc", "uts", "cgroup")
SECCOMP: Final = {"0": "off", "1": "strict", "2": "a filter"}


class Row(Value, frozen=True, kw_only=True):
    """One kind of isolation. Empty text: it could not be seen."""

    name: str
    """A key of cli/isolation.py: net, user map, capabilities ..."""
    inside: str
    outside: str
    apart: bool
    """Whether it is another inside than outside."""


def isolation(kept: Kept) -> tuple[Row, ...]:
    """What keeps it apart from the machine, row by row."""
    pid = kept.pid
    inside, outside = _status(pid), _status(os.getpid())
    return (
        *(_namespace(kind, pid) for kind in KINDS),
        _row("user map", _map(pid), _map(os.getpid())),
        _row("runs as", _ids(inside), _ids(outside)),
        _flag("capabilities", _capabilities(inside), _capabilities(outside), "none"),
        _flag("no-new-privs", _yes(inside.get("NoNewPrivs")), _yes(outside.get("NoNewPrivs")), "yes"),
        _flag("seccomp", SECCOMP.get(inside.get("Seccomp", "")), SECCOMP.get(outside.get("Seccomp", "")), SECCOMP["2"]),
        _row("root", _root(pid), _root(os.getpid())),
        _row("mounts", _mounts(pid), _mounts(os.getpid(), named=False)),
        _row("control group", _group(pid), _group(os.getpid())),
        _row("limits", _limits(pid), "none" if not _limits(os.getpid()) else _limits(os.getpid())),
    )


def _row(name: str, inside: str, outside: str) -> Row:
    return Row(name=name, inside=inside, outside=outside, apart=bool(inside) and inside != outside)


def _flag(name: str, inside: str | None, outside: str | None, good: str) -> Row:
    """What does not compare two things, but is there or not."""
    return Row(name=name, inside=inside or "", outside=outside or "", apart=inside == good)


def _namespace(kind: str, pid: int) -> Row:
    numbers = []
    for one in (pid, os.getpid()):
        with contextlib.suppress(OSError):
            numbers.append(str(Path(f"/proc/{one}/ns/{kind}").readlink()).partition("[")[2].rstrip("]"))
    if len(numbers) < 2:
        return Row(name=f"{kind} namespace", inside="", outside="", apart=False)
    return _row(f"{kind} namespace", numbers[0], numbers[1])


def _status(pid: int) -> dict[str, str]:
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return {name: " ".join(value.split()) for name, _, value in (line.partition(":") for line in lines)}
    return {}


def _map(pid: int) -> str:
    rows = [line.split() for line in _text(f"/proc/{pid}/uid_map").splitlines()]
    if rows and rows[0][:2] == ["0", "0"] and int(rows[0][2]) > 1 << 31:
        return "all ids are this machine's"
    return ", ".join(
        f"{inside} is {outside} here" + (f", and {int(size) - 1} more" if size != "1" else "")
        for inside, outside, size in rows
    )


def _ids(status: dict[str, str]) -> str:
    return f"uid {status['Uid'].split()[1]}, as this machine counts" if "Uid" in status else ""


def _capabilities(status: dict[str, str]) -> str:
    if "CapEff" not in status:
        return ""
    held = capabilities_in(int(status["CapEff"], 16))
    lacking = [name for name in CAPABILITIES if name not in held]
    if not held or not lacking:
        return "all" if held else "none"
    return f"all but {', '.join(lacking)}" if len(lacking) < len(held) else f"{len(held)}: {', '.join(held)}"


def _yes(flag: str | None) -> str:
    return {"1": "yes", "0": "no"}.get(flag or "", "")


def _root(pid: int) -> str:
    for row in map(str.split, _text(f"/proc/{pid}/mountinfo").splitlines()):
        if len(row) > 5 and row[4] == "/":
            return f"{row[3]}, {'read-only' if 'ro' in row[5].split(',') else 'writable'}"
    return ""


def _mounts(pid: int, *, named: bool = True) -> str:
    """How many there are, and the paths that can be written to: of a machine there are too many of those for a row."""
    rows = [line.split() for line in _text(f"/proc/{pid}/mountinfo").splitlines()]
    writable = [row[4] for row in rows if len(row) > 5 and "rw" in row[5].split(",")]
    shown_ = [path for path in writable if not path.startswith(("/proc", "/sys", "/dev"))]
    writable_ = ", ".join(shown_) or "none" if named else str(len(shown_))
    return f"{len(rows)}, to write to: {writable_}" if rows else ""


def _group(pid: int) -> str:
    rows = [line.split(":", 2) for line in _text(f"/proc/{pid}/cgroup").splitlines()]
    return next((row[2] for row in rows if len(row) == 3 and ("memory" in row[1].split(",") or not row[1])), "")


def _limits(pid: int) -> str:
    try:
        used = cgroups.usage(cgroups.group_of(pid))
    except OSError:
        return ""
    words = [
        f"{shown(used.memory_limit)} memory" if used.memory_limit else "",
        f"{used.cpu_limit:g} processors" if used.cpu_limit else "",
        f"{used.pids_limit} processes" if used.pids_limit else "",
    ]
    return ", ".join(filter(None, words))


def _text(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text("utf-8", "replace")
    return ""
