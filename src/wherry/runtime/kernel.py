"""What this machine's kernel has for containers. A root folder in, a Kernel out; reads /proc and /sys.

Each row says what is there, and what a container lacks where it is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wherry.kit.value import Value

LIMITS: Final = ("cpu", "memory", "pids")
CGROUPS: Final = "sys/fs/cgroup"


class Kernel(Value, frozen=True, kw_only=True):
    """What containers are made of."""

    version: int = 0
    """Of control groups: 2, 1, or 0 where none are mounted."""
    mixed: bool = False
    """Version 1, with version 2 mounted beside it."""
    limits: tuple[str, ...] = ()
    """Of LIMITS, those that can be set."""
    no_user_namespaces: str = ""
    """Why there are none; empty: there are."""
    seccomp: bool = False
    actions: tuple[str, ...] = ()
    """What filters may do: kill_process, user_notif ..."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Limits that cannot be set."""
        return tuple(one for one in LIMITS if one not in self.limits)


def kernel(root: Path = Path("/")) -> Kernel:
    """As it is now. What cannot be read counts as not there."""
    mount = root / CGROUPS
    unified = _text(mount / "cgroup.controllers").split()
    if (mount / "cgroup.controllers").exists():
        version, limits = 2, tuple(one for one in LIMITS if one in unified)
    else:
        limits = tuple(one for one in LIMITS if (mount / one).is_dir())
        version = 1 if limits else 0
    status = _text(root / "proc/self/status")
    return Kernel(
        version=version,
        mixed=version == 1 and (mount / "unified/cgroup.controllers").exists(),
        limits=limits,
        no_user_namespaces=_no_user_namespaces(root / "proc"),
        seccomp="\nSeccomp:" in status,
        actions=tuple(_text(root / "proc/sys/kernel/seccomp/actions_avail").split()),
    )


def _no_user_namespaces(proc: Path) -> str:
    if not (proc / "self/ns/user").exists():
        return "this kernel has none"
    if _text(proc / "sys/user/max_user_namespaces").strip() == "0":
        return "user.max_user_namespaces is 0"
    return ""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
