"""A Container as runc and crun read it (OCI runtime-spec 1.0.2, config.md). Values in, config.json out; touches nothing.

All of it is ours: of the image only its command, variables, user, folder and stop signal come in (F08).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wherry.formats.seccomp import Seccomp
from wherry.kit.value import Value
from wherry.model.container import Bind, Container, IdRange, Tmpfs
from wherry.runtime.outward import hooks

#: Docker's lists (moby, oci/defaults.go), with what newer kernels have.
MASKED: Final = (
    *("/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats"),
    *(
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ),
)
READ_ONLY: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
SETS: Final = ("bounding", "effective", "permitted")
IDS: Final = 65536
"""How many ids a user namespace has."""
PERIOD: Final = 100_000
"""Microseconds, of which a limit on processors is a share."""
GROUP: Final = "/wherry-"
"""How a container's control group begins; its id follows. None above it, which would be left behind."""
SECRETS: Final = "/run/secrets"
INIT: Final = "/dev/init"
"""Where wherry's own init is: in memory that is made anew for each container, so no image need have the file."""
FILES: Final = {"network": "net"}
"""Kinds of namespaces that /proc calls otherwise."""
SAFE: Final = ("nosuid", "noexec", "nodev")


class Surroundings(Value, frozen=True, kw_only=True):
    """What the engine has made ready for one container."""

    id: str
    root: str
    """The folder that becomes /."""
    files: str
    """Where hosts, hostname and resolv.conf lie."""
    seccomp: Seccomp | None = None
    """None: every system call."""
    outward: str = ""
    """The program by which a network that leads out does."""
    folder: str = ""
    """Where that one keeps its files."""
    lingers: bool = False
    """Whether the engine waits for it at the end."""
    groups_shown: bool = True
    """The program sees its own control groups; else an empty folder that nobody may write to."""


def spec(container: Container, around: Surroundings) -> dict[str, Any]:
    """The whole config.json."""
    leads_out = container.network == "out" and around.outward
    return {
        **({"hooks": hooks(around.outward, around.folder, lingers=around.lingers)} if leads_out else {}),
        "ociVersion": "1.0.2",
        "hostname": container.hostname,
        "root": {"path": around.root, "readonly": container.read_only},
        "process": _process(container),
        "mounts": [
            *_kernel_mounts(around),
            *_files(container, around),
            *map(_tmpfs, container.tmpfs),
            *_binds(container),
        ],
        "linux": _linux(container, around),
    }


def by_systemd(group: str | None) -> bool:
    """Whether the user's systemd makes the container's group."""
    return bool(group) and not str(group).startswith("/")


def group_path(above: str, name: str) -> str:
    """The group of the container `name` as runtimes are told. For an ordinary user crun takes a relative path as one from the
    root, so it is whole; with `--systemd-cgroup` it is SLICE:PREFIX:NAME."""
    return f"{above}:wherry:{name}" if by_systemd(above) else f"{above}{GROUP}{name}"


def destinations(container: Container) -> tuple[str, ...]:
    """Paths that must be there to be mounted upon, beside those of every root; what is in memory already is made there."""
    paths = (*(one.path for one in container.tmpfs), *(one.path for one in container.binds))
    secrets = (SECRETS,) if any(path.startswith(f"{SECRETS}/") for path in paths) else ()
    return (*secrets, *(path for path in paths if not path.startswith((f"{SECRETS}/", "/dev/"))))


def _process(container: Container) -> dict[str, Any]:
    capabilities: dict[str, list[str]] = {name: list(container.capabilities) for name in SETS}
    # A user other than root keeps a capability over execve only if it is ambient, and so inheritable too (capabilities(7)).
    ambient = list(container.capabilities) if container.user.uid else []
    files = container.limits.files
    limits = [{"type": "RLIMIT_CORE", "hard": 0, "soft": 0}]
    limits += [{"type": "RLIMIT_NOFILE", "hard": files, "soft": files}] if files else []
    return {
        "terminal": container.terminal,
        "args": list(container.arguments),
        "env": [f"{name}={value}" for name, value in container.environment],
        "cwd": container.directory,
        "user": {
            "uid": container.user.uid,
            "gid": container.user.gid,
            "umask": 0o027,
            "additionalGids": list(container.user.groups),
        },
        "capabilities": capabilities | {"inheritable": ambient, "ambient": ambient},
        "noNewPrivileges": container.no_new_privileges,
        "rlimits": limits,
    }


def _kernel_mounts(around: Surroundings) -> list[dict[str, Any]]:
    """No /dev/shm and no /dev/mqueue: both may be written to by anybody, and Go needs neither."""
    safe = list(SAFE)
    return [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": safe},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "noexec", "strictatime", "mode=755", "size=64k"],
        },
        {
            "destination": "/dev/pts",  # for a terminal of `exec` and `debug`; no file can be made there
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        },
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*safe, "ro"]},
        _groups(around),
    ]


def _groups(around: Surroundings) -> dict[str, Any]:
    options = [*SAFE, "relatime", "ro"] if around.groups_shown else [*SAFE, "ro", "mode=555", "size=4k"]
    kind = "cgroup" if around.groups_shown else "tmpfs"
    return {"destination": "/sys/fs/cgroup", "type": kind, "source": kind, "options": options}


def _files(container: Container, around: Surroundings) -> list[dict[str, Any]]:
    taken = {*(one.path for one in container.binds), *(one.path for one in container.tmpfs)}
    names = ("hosts", "hostname", "resolv.conf")
    return [
        _bind(Bind(source=f"{around.files}/{name}", path=f"/etc/{name}"))
        for name in names
        if f"/etc/{name}" not in taken and "/etc" not in taken
    ]


def _tmpfs(one: Tmpfs) -> dict[str, Any]:
    options = [
        "nosuid",
        "noexec",
        "nodev",
        f"mode={one.mode:04o}",
        f"size={one.size}",
        f"uid={one.uid}",
        f"gid={one.gid}",
    ]
    return {
        "destination": one.path,
        "type": "tmpfs",
        "source": "tmpfs",
        "options": [*options, *(["tmpcopyup"] if one.copied else [])],
    }


def _binds(container: Container) -> list[dict[str, Any]]:
    secrets = [one for one in container.binds if one.path.startswith(f"{SECRETS}/")]
    mounts = [_bind(one) for one in container.binds if one not in secrets]
    if secrets:
        options = ["nosuid", "noexec", "nodev", "mode=0755", "size=64k"]
        mounts.append({"destination": SECRETS, "type": "tmpfs", "source": "tmpfs", "options": options})
    return [*mounts, *map(_bind, secrets)]


def _bind(one: Bind) -> dict[str, Any]:
    # Not what is mounted below it: `ro` would not hold for that, and nobody named it. In a user namespace the kernel refuses to
    # show what lies under such a mount (EINVAL, mount_namespaces(7)), so there it is an error, and never a hole.
    options = ["bind", "rprivate", "nosuid", "nodev", "rw" if one.writable else "ro"]
    return {
        "destination": one.path,
        "type": "bind",
        "source": one.source,
        "options": options if one.executable else [*options, "noexec"],
    }


def _linux(container: Container, around: Surroundings) -> dict[str, Any]:
    kinds = ["pid", "ipc", "uts", "mount", "cgroup"]
    kinds += ["network"] if container.network != "host" else []
    kinds += ["user"] if container.user_namespace else []
    made: dict[str, Any] = {"namespaces": [_namespace(kind, container) for kind in kinds]}
    if container.group is not None:
        made |= {"cgroupsPath": group_path(container.group, around.id), "resources": _resources(container)}
    if container.user_namespace:
        all_of_them = (IdRange(inside=0, outside=container.id_base, size=IDS),)
        made["uidMappings"] = [_ids(one) for one in container.uids or all_of_them]
        made["gidMappings"] = [_ids(one) for one in container.gids or all_of_them]
    if container.masked:
        made |= {"maskedPaths": list(MASKED), "readonlyPaths": list(READ_ONLY)}
    if around.seccomp is not None:
        made["seccomp"] = msgspec.to_builtins(around.seccomp)
    return made


def _namespace(kind: str, container: Container) -> dict[str, str]:
    """One of its own, or that of the process it joins; the roots stay apart."""
    if not container.joins or kind in ("mount", "cgroup"):
        return {"type": kind}
    return {"type": kind, "path": f"/proc/{container.joins}/ns/{FILES.get(kind, kind)}"}


def _ids(one: IdRange) -> dict[str, int]:
    return {"containerID": one.inside, "hostID": one.outside, "size": one.size}


def _resources(container: Container) -> dict[str, Any]:
    limits = container.limits
    made: dict[str, Any] = {"devices": [{"allow": False, "access": "rwm"}]}
    if limits.memory:
        made["memory"] = {"limit": limits.memory, "swap": limits.memory}
    if limits.cpus:
        made["cpu"] = {"quota": round(limits.cpus * PERIOD), "period": PERIOD}
    if limits.pids:
        made["pids"] = {"limit": limits.pids}
    return made
