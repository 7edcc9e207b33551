"""Facts of a container twice: as its Container says them, and as the kernel says them of its first process. Reads /proc and
/sys/fs/cgroup; nothing runs in the container."""

from __future__ import annotations

import stat
from pathlib import Path

from wherry.model.container import Container, Tmpfs
from wherry.runtime.cgroups import group_of, usage
from wherry.runtime.spec import MASKED

Facts = dict[str, object]
#: In wherry's list, and in no list of Docker 20.10 and podman 4.3.
NEWER = frozenset({"/proc/interrupts", "/proc/latency_stats", "/sys/devices/virtual/powercap"})
#: What engines add to the variables.
ADDED = frozenset({"HOSTNAME", "TERM", "container"})
OWN = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
NUMBERS = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_RAW": 13}


def wanted(container: Container) -> Facts:
    """What was decided, in the words of `seen`."""
    limits, user = container.limits, container.user
    mask = f"{sum(1 << NUMBERS[name] for name in container.capabilities):016x}"
    ambient = mask if user.uid else f"{0:016x}"
    found: Facts = {
        "user": (user.uid, user.gid),
        "groups": user.groups,
        "CapBnd": mask,
        "CapEff": mask,
        "CapPrm": mask,
        "CapInh": ambient,
        "CapAmb": ambient,
        "no new privileges": "1" if container.no_new_privileges else "0",
        "seccomp": "0" if container.seccomp == "unconfined" else "2",
        "umask": "0027",
        "namespaces": tuple(one for one in OWN if one != "net" or container.network != "host"),
        "user namespace": bool(container.id_base),
        "root": "ro" if container.read_only else "rw",
        "no shared memory": True,
        "masked": frozenset(path for path in set(MASKED) - NEWER if Path(path).exists() and container.masked),
        "sysctls": "ro" if container.masked else "rw",
        "memory": limits.memory or None,
        "cpus": limits.cpus or None,
        "pids": limits.pids or None,
        "core": "0",
        "files": str(limits.files) if limits.files else "",
        "variables": dict(container.environment),
        "words": container.arguments,
        "directory": container.directory,
    }
    return found | {f"tmpfs {one.path}": _as_decided(one) for one in container.tmpfs}


def seen(pid: int, container: Container) -> Facts:
    """What the kernel says."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    mounts, used = mounts_of(pid), usage(group_of(pid))
    ids = (_inside(pid, int(status["Uid"].split()[1])), _inside(pid, int(status["Gid"].split()[1])))
    groups = tuple(sorted(_inside(pid, int(one)) for one in status["Groups"].split()))
    found: Facts = {
        "user": ids,
        "groups": tuple(one for one in groups if one != ids[1]),
        **{name: status[name] for name in ("CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb")},
        "no new privileges": status["NoNewPrivs"],
        "seccomp": status["Seccomp"],
        "umask": status["Umask"],
        "namespaces": tuple(kind for kind in OWN if _is_own(pid, kind)),
        "user namespace": _is_own(pid, "user"),
        "root": mounts["/"][5].partition(",")[0],
        "no shared memory": "/dev/shm" not in mounts,
        "masked": frozenset(path for path in set(MASKED) - NEWER if path in mounts),
        "sysctls": mounts.get("/proc/sys", mounts["/proc"])[5].partition(",")[0],
        "memory": used.memory_limit,
        "cpus": used.cpu_limit,
        "pids": used.pids_limit,
        "core": limit_of(pid, "Max core file size"),
        "files": limit_of(pid, "Max open files") if container.limits.files else "",
        "variables": {name: value for name, value in variables_of(pid).items() if name not in ADDED},
        "words": tuple(Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]),
        "directory": _directory(pid, container.directory),
    }
    return found | {f"tmpfs {one.path}": _as_mounted(pid, one.path, mounts) for one in container.tmpfs}


def _directory(pid: int, wanted: str) -> str:
    """Where it stands. The kernel's text for that begins with this machine's path where this process is in a chroot."""
    here = Path(f"/proc/{pid}/cwd")
    return wanted if here.samefile(f"/proc/{pid}/root/{wanted.lstrip('/')}") else str(here.readlink())


def mounts_of(pid: int) -> dict[str, list[str]]:
    """The topmost mount at each path of its root, as fields of /proc/PID/mountinfo."""
    return {line.split()[4]: line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()}


def limit_of(pid: int, name: str) -> str:
    """The soft limit of that name in /proc/PID/limits."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.removeprefix(name).split()[0] for line in lines if line.startswith(name))


def variables_of(pid: int) -> dict[str, str]:
    """Its environment."""
    words = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(word.partition("=")[::2] for word in words if word)


def _is_own(pid: int, kind: str) -> bool:
    return Path(f"/proc/{pid}/ns/{kind}").readlink() != Path(f"/proc/self/ns/{kind}").readlink()


def _inside(pid: int, number: int) -> int:
    rows = [tuple(map(int, line.split())) for line in Path(f"/proc/{pid}/uid_map").read_text().splitlines()]
    return next((row[0] + number - row[1] for row in rows if row[1] <= number < row[1] + row[2]), -1)


def _as_decided(one: Tmpfs) -> tuple[object, ...]:
    return "tmpfs", ("nodev", "noexec", "nosuid"), one.size, oct(one.mode), one.uid, one.gid


def _as_mounted(pid: int, path: str, mounts: dict[str, list[str]]) -> tuple[object, ...]:
    row = mounts.get(path, [])
    if not row:
        return ("no mount",)
    behind = row[row.index("-") + 1 :]
    options = tuple(sorted({"nodev", "noexec", "nosuid"}.intersection(row[5].split(","))))
    sizes = [int(word[5:-1]) << 10 for word in behind[2].split(",") if word.startswith("size=")]
    folder = Path(f"/proc/{pid}/root{path}").stat()
    owner = (_inside(pid, folder.st_uid), _inside(pid, folder.st_gid))
    return behind[0], options, sum(sizes), oct(stat.S_IMODE(folder.st_mode)), *owner
