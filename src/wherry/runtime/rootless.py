"""What an ordinary user may have of this machine for a container. The runtime's name and programs in, a Rootless out; reads
/etc/subuid, /proc/sys and /sys/fs/cgroup.

What was tried on which kernel and runtime: docs/decisions/0006-rootless.md.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path
from typing import Final

from wherry.errors import UnavailableError, WherryError
from wherry.kit.ports import Which
from wherry.model.container import IdRange, Rootless
from wherry.model.plan import Pairs

#: Runtimes that can map one id alone that is not root's; runc wants 0 mapped ("no user mapping found").
ANY_ID: Final = ("crun",)
#: What forbids user namespaces when it is 0, and what allows them: Linux; Debian and Arch.
SWITCHES: Final = {"user.max_user_namespaces": "15000", "kernel.unprivileged_userns_clone": "1"}
APPARMOR: Final = "kernel.apparmor_restrict_unprivileged_userns"
"""1, as Ubuntu has it since 24.04: user namespaces without a right, but for programs that have a profile, like its own runc."""
SUSPECTS: Final = ("no-user-namespaces", "bad-volume", "cannot-start")
SLICE: Final = "user.slice"
CONTROLLERS: Final = frozenset({"cpu", "memory", "pids"})
MAPPERS: Final = ("newuidmap", "newgidmap")
SUBORDINATE: Final = ("subuid", "subgid")


def rootless(runtime: str, which: Which, *, root: Path = Path("/")) -> Rootless:
    """For the user of this process. `root`: where etc, proc and sys are found. UnavailableError [no-user-namespaces]."""
    refuse_without(root / "proc")
    mapped = all(which(one) for one in MAPPERS)
    uids, gids = (_subordinate(root / "etc" / name) if mapped else () for name in SUBORDINATE)
    both = bool(uids and gids)
    return Rootless(
        uid=os.geteuid(),
        gid=os.getegid(),
        uids=uids if both else (),
        gids=gids if both else (),
        any_id=runtime in ANY_ID,
        group=managed(root) or delegated(_own_group(root / "proc"), root / "sys/fs/cgroup"),
    )


def session(environment: Pairs, *, root: Path = Path("/")) -> Pairs:
    """`environment` with where the user's systemd is reached, if there is one."""
    folder = f"run/user/{os.geteuid()}"
    if not (root / folder / "bus").exists():
        return environment
    more = (("XDG_RUNTIME_DIR", f"/{folder}"), ("DBUS_SESSION_BUS_ADDRESS", f"unix:path=/{folder}/bus"))
    return (*(pair for pair in environment if pair[0] != more[0][0]), *more)


def managed(root: Path) -> str | None:
    """The slice where the user's systemd makes groups for containers; None when there is no such systemd, or it has not been
    given all controllers."""
    user = os.geteuid()
    own = root / f"sys/fs/cgroup/user.slice/user-{user}.slice/user@{user}.service/cgroup.controllers"
    here = (root / "run/systemd/system").is_dir() and (root / f"run/user/{user}/bus").exists()
    return SLICE if here and set(_text(own).split()) >= CONTROLLERS else None


def preferred(names: tuple[str, ...], which: Which, *, root: Path = Path("/")) -> tuple[str, ...]:
    """`names` of runtimes, the best for an ordinary user first: without subordinate ids one of ANY_ID, where control groups
    are of version 2 alone, without which crun does not start."""
    may = rootless("", which, root=root)
    if may.uids or not (root / "sys/fs/cgroup/cgroup.controllers").exists():
        return names
    return tuple(sorted(names, key=lambda name: name not in ANY_ID))


def refuse_without(proc: Path) -> None:
    """UnavailableError [no-user-namespaces] when this machine gives none to ordinary users."""
    why = "" if (proc / "self/ns/user").exists() else "this kernel has no user namespaces"
    steps: tuple[str, ...] = ()
    for name, allows in SWITCHES.items():
        if _text(proc / "sys" / name.replace(".", "/")).strip() == "0":
            why, steps = f"{name} is 0", (f"sudo sysctl -w {name}={allows}",)
    if why:
        raise UnavailableError(
            "no-user-namespaces",
            "ordinary users may not start containers on this machine",
            why=why,
            next=(*steps, "as root", "--engine docker or podman"),
        )


def suspected(error: WherryError, *, root: Path = Path("/")) -> WherryError:
    """The same error with one more way on where AppArmor may be what keeps an ordinary user's container from starting: the
    runtime is told no more than "permission denied"."""
    if (
        error.name in SUSPECTS
        and os.geteuid() != 0
        and _text(root / "proc/sys" / APPARMOR.replace(".", "/")).strip() == "1"
    ):
        return error.with_next(*error.next, f"sudo sysctl -w {APPARMOR}=0   if it is AppArmor that forbids it")
    return error


def delegated(own: str, mount: Path) -> str | None:
    """The nearest group above the group `own` where this user may make groups with limits and move processes to; None: there
    is none, or control groups are those of version 1."""
    if not own or not (mount / "cgroup.controllers").exists():
        return None
    group = Path(own)
    while group != group.parent:
        group = group.parent
        folder = mount / str(group).strip("/")
        given = set(_text(folder / "cgroup.subtree_control").split()) >= CONTROLLERS
        if given and all(os.access(one, os.W_OK) for one in (folder, folder / "cgroup.procs")):
            return "" if str(group) == "/" else str(group)
    return None


def _own_group(proc: Path) -> str:
    lines = _text(proc / "self/cgroup").splitlines()
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")


def _subordinate(file: Path) -> tuple[IdRange, ...]:
    """This user's rows, one behind the other from 1 on: 0 is the user."""
    names = {str(os.geteuid())}
    with contextlib.suppress(KeyError):
        names.add(pwd.getpwuid(os.geteuid()).pw_name)
    found: list[IdRange] = []
    inside = 1
    for line in _text(file).splitlines():
        name, _, rest = line.partition(":")
        start, _, size = rest.partition(":")
        if name in names and start.isdigit() and size.isdigit() and int(size):
            found.append(IdRange(inside=inside, outside=int(start), size=int(size)))
            inside += int(size)
    return tuple(found)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
