"""What control groups say of a container, version 1 and 2 alike. A process or a container's id in, numbers out; reads
/sys/fs/cgroup.

A group goes when its container is deleted: read before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wherry.kit.value import Value
from wherry.runtime.spec import GROUP, by_systemd

MOUNT: Final = Path("/sys/fs/cgroup")
UNLIMITED: Final = 1 << 60
"""Version 1 says a huge number for no limit."""


class Group(Value, frozen=True, kw_only=True):
    """The folders of one container's group, by controller; with version 2 all are one."""

    memory: str = ""
    cpu: str = ""
    pids: str = ""
    version: int = 2


class Usage(Value, frozen=True, kw_only=True):
    """Numbers now. None: this machine does not say."""

    memory: int | None = None
    """Bytes."""
    needed: int | None = None
    """Of them, those that the kernel could not drop: without contents of files that nobody used for a while."""
    memory_limit: int | None = None
    """None: no limit."""
    memory_peak: int | None = None
    cpu_seconds: float | None = None
    cpu_limit: float | None = None
    """Processors."""
    periods: int | None = None
    throttled: int | None = None
    """Of the periods, those in which it had to wait."""
    pids: int | None = None
    pids_limit: int | None = None
    pids_peak: int | None = None
    oom_kills: int | None = None
    refused_forks: int | None = None


def group_of(pid: int, mount: Path = MOUNT) -> Group:
    """The group that process `pid` is in. OSError when it is gone."""
    found = {}
    unified = ""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            unified = path
        for name in controllers.split(","):
            found[name] = path
    if "memory" in found:
        return _version1(mount, {name: found.get(name, "") for name in ("memory", "cpu", "pids")})
    folder = str(mount / unified.strip("/"))
    return Group(memory=folder, cpu=folder, pids=folder)


def group_named(name: str, above: str = "", mount: Path = MOUNT) -> Group:
    """The group of the container with this id, below the group `above` or in this slice of the user's systemd."""
    path = f"{above}{GROUP}{name}"
    if by_systemd(above):
        user = os.geteuid()
        path = f"/user.slice/user-{user}.slice/user@{user}.service/{above}{GROUP}{name}.scope"
    if (mount / "memory").is_dir():
        return _version1(mount, dict.fromkeys(("memory", "cpu", "pids"), path))
    folder = str(mount / path.strip("/"))
    return Group(memory=folder, cpu=folder, pids=folder)


def usage(group: Group) -> Usage:
    """What the group says now; what it does not say is None."""
    return _usage1(group) if group.version == 1 else _usage2(group)


def _version1(mount: Path, paths: dict[str, str]) -> Group:
    folders = {name: str(mount / name / path.strip("/")) for name, path in paths.items()}
    return Group(memory=folders["memory"], cpu=folders["cpu"], pids=folders["pids"], version=1)


def _usage1(group: Group) -> Usage:
    quota, period = _number(group.cpu, "cpu.cfs_quota_us"), _number(group.cpu, "cpu.cfs_period_us")
    spent = _number(group.cpu.replace("/cpu/", "/cpuacct/", 1), "cpuacct.usage")
    if spent is None:
        spent = _number(group.cpu, "cpuacct.usage")
    times, control = _table(group.cpu, "cpu.stat"), _table(group.memory, "memory.oom_control")
    return Usage(
        memory=_number(group.memory, "memory.usage_in_bytes"),
        needed=_needed(_number(group.memory, "memory.usage_in_bytes"), group.memory, "total_inactive_file"),
        memory_limit=_limit(_number(group.memory, "memory.limit_in_bytes")),
        memory_peak=_number(group.memory, "memory.max_usage_in_bytes"),
        cpu_seconds=None if spent is None else spent / 1e9,
        cpu_limit=quota / period if quota and period and quota > 0 else None,
        periods=times.get("nr_periods"),
        throttled=times.get("nr_throttled"),
        pids=_number(group.pids, "pids.current"),
        pids_limit=_number(group.pids, "pids.max"),
        pids_peak=_number(group.pids, "pids.peak"),
        oom_kills=control.get("oom_kill"),
        refused_forks=_table(group.pids, "pids.events").get("max"),
    )


def _usage2(group: Group) -> Usage:
    times = _table(group.cpu, "cpu.stat")
    quota, _, period = _text(group.cpu, "cpu.max").partition(" ")
    spent = times.get("usage_usec")
    return Usage(
        memory=_number(group.memory, "memory.current"),
        needed=_needed(_number(group.memory, "memory.current"), group.memory, "inactive_file"),
        memory_limit=_limit(_number(group.memory, "memory.max")),
        memory_peak=_number(group.memory, "memory.peak"),
        cpu_seconds=None if spent is None else spent / 1e6,
        cpu_limit=int(quota) / int(period) if quota.isdigit() and period.isdigit() else None,
        periods=times.get("nr_periods"),
        throttled=times.get("nr_throttled"),
        pids=_number(group.pids, "pids.current"),
        pids_limit=_number(group.pids, "pids.max"),
        pids_peak=_number(group.pids, "pids.peak"),
        oom_kills=_table(group.memory, "memory.events").get("oom_kill"),
        refused_forks=_table(group.pids, "pids.events").get("max"),
    )


def _needed(whole: int | None, folder: str, spare: str) -> int | None:
    return None if whole is None else max(0, whole - _table(folder, "memory.stat").get(spare, 0))


def _limit(value: int | None) -> int | None:
    return None if value is None or value >= UNLIMITED else value


def _number(folder: str, name: str) -> int | None:
    text = _text(folder, name)
    return int(text) if text.removeprefix("-").isdigit() else None


def _table(folder: str, name: str) -> dict[str, int]:
    rows = (line.split() for line in _text(folder, name).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _text(folder: str, name: str) -> str:
    if not folder:
        return ""
    try:
        return Path(folder, name).read_text().strip()
    except OSError:
        return ""
