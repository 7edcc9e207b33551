"""Capabilities and system calls. Options in, what is granted and why out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.model.container import Options
from wherry.model.plan import Decision

#: capabilities(7), Linux 5.9 and later.
CAPABILITIES: Final = (
    *(
        "AUDIT_CONTROL",
        "AUDIT_READ",
        "AUDIT_WRITE",
        "BLOCK_SUSPEND",
        "BPF",
        "CHECKPOINT_RESTORE",
        "CHOWN",
        "DAC_OVERRIDE",
    ),
    *(
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "IPC_LOCK",
        "IPC_OWNER",
        "KILL",
        "LEASE",
        "LINUX_IMMUTABLE",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
    ),
    *(
        "MKNOD",
        "NET_ADMIN",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_RAW",
        "PERFMON",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
    ),
    *(
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_CHROOT",
        "SYS_MODULE",
        "SYS_NICE",
        "SYS_PACCT",
        "SYS_PTRACE",
        "SYS_RAWIO",
        "SYS_RESOURCE",
    ),
    *("SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM"),
)


class Granted(Value, frozen=True, kw_only=True):
    """What the program may do beyond its own files, and why."""

    capabilities: tuple[str, ...]
    seccomp: str
    decisions: tuple[Decision, ...]


def decide(options: Options) -> Granted:
    """UsageError [container-option]."""
    capabilities = tuple(sorted({capability(word) for word in options.capabilities}))
    seccomp = "unconfined" if "seccomp" in options.relax else options.seccomp or "default"
    value = ", ".join(name.removeprefix("CAP_") for name in capabilities) or "none"
    reason = "none, and none to be had" if not capabilities else "as you said"
    if capabilities == ("CAP_NET_BIND_SERVICE",):
        reason = "for ports below 1024; a port above needs nothing"
    decisions = (
        Decision(name="capabilities", value=value, reason=reason, origin="flag" if capabilities else "default"),
        Decision(
            name="seccomp", value=seccomp, reason=_calls(seccomp), origin="flag" if seccomp != "default" else "default"
        ),
    )
    return Granted(capabilities=capabilities, seccomp=seccomp, decisions=decisions)


def capability(word: str) -> str:
    """`CAP_NET_BIND_SERVICE` for net_bind_service or CAP_NET_BIND_SERVICE."""
    name = word.upper().removeprefix("CAP_")
    if name in CAPABILITIES:
        return f"CAP_{name}"
    near = closest(name, tuple(one.lower() for one in CAPABILITIES)).upper()
    message = "all capabilities at once are not given" if name == "ALL" else f"there is no capability {word[:40]!r}"
    raise UsageError(
        "container-option", message, where=f"--cap-add {word[:40]}", next=f"--cap-add {near or 'NET_BIND_SERVICE'}"
    )


def _calls(seccomp: str) -> str:
    return {"default": "wherry's own list of system calls", "unconfined": "every system call, as you asked"}.get(
        seccomp, "your profile"
    )
