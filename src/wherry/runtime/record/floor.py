"""The calls that a profile must allow whatever the application was seen to do. Touches nothing.

A profile without them is refused by the runtime itself (`ensure /proc/self/fd is on procfs: operation not permitted`), or
kills the application on the first busy day.
"""

from __future__ import annotations

from typing import Final

from wherry.runtime.ceiling.read import KERNELS_OWN, Ceiling

#: Between loading the filter and starting the program. runc 1.1 and crun 1.8 as recorded (runc with no-new-privileges: it loads
#: the filter last, else it needs far more), and for newer ones what they use instead (close_range, openat2, statx, readlinkat).
ENGINES: Final = (
    *(
        "close",
        "close_range",
        "epoll_ctl",
        "execve",
        "fcntl",
        "fstat",
        "fstatfs",
        "futex",
        "getdents64",
        "getpid",
        "kill",
    ),
    *("munmap", "newfstatat", "openat", "openat2", "read", "readlinkat", "statx", "wait4", "write"),
)
#: runc is a Go program, and its runtime may collect or preempt meanwhile; the same holds for the application.
GO: Final = (
    *("clone", "epoll_pwait", "exit", "exit_group", "getrandom", "gettid", "madvise", "mmap", "mprotect", "nanosleep"),
    *("prctl", "rt_sigaction", "rt_sigprocmask", "sched_yield", "sigaltstack", "tgkill"),
)
#: wherry's health probe (src/wherry/probe): it runs inside the container, under the container's profile.
PROBE: Final = (
    *("connect", "exit_group", "read", "rt_sigaction", "rt_sigprocmask", "sendmsg", "setitimer", "socket"),
)  # fmt: skip


def floor(ceiling: Ceiling, engine: tuple[str, ...], *, probe: bool) -> frozenset[str]:
    """Names: this runtime's own as seen, runtimes' in general, Go's runtime as this binary has it, the kernel's own, and
    the health probe's where the image has one."""
    return frozenset((*ENGINES, *GO, *KERNELS_OWN, *engine, *(PROBE if probe else ()))) | ceiling.runtime_names
