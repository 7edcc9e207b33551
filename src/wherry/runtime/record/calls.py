"""Which arguments of which system calls say something about files and addresses. Touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.kit.value import Value
from wherry.model.recording import Intent


class Path(Value, frozen=True, kw_only=True):
    """One argument that names a file. `folder`: the argument with the folder it is relative to; -1: the working directory."""

    at: int
    folder: int = -1
    intent: Intent
    flags: int = -1
    """The argument with open(2)'s flags, which decide whether the file is to be written."""
    behind: bool = False
    """The flags are the first 8 bytes of where that argument points (openat2)."""


class Address(Value, frozen=True, kw_only=True):
    """One argument that points to a socket address, and one with its length. The first argument is the socket."""

    at: int
    size: int
    bind: bool = False
    header: bool = False
    """It points to a msghdr, which begins with both."""


def _path(at: int, intent: Intent, folder: int = -1) -> tuple[Path, ...]:
    return (Path(at=at, folder=folder, intent=intent),)


PATHS: Final[dict[str, tuple[Path, ...]]] = {
    "open": (Path(at=0, intent="read", flags=1),),
    "openat": (Path(at=1, folder=0, intent="read", flags=2),),
    "openat2": (Path(at=1, folder=0, intent="read", flags=2, behind=True),),
    "creat": _path(0, "write"),
    "execve": _path(0, "run"),
    "execveat": _path(1, "run", 0),
    **{name: _path(0, "look") for name in ("stat", "lstat", "access", "readlink", "statfs", "chdir", "getxattr")},
    **{name: _path(1, "look", 0) for name in ("newfstatat", "statx", "faccessat", "faccessat2", "readlinkat")},
    "inotify_add_watch": _path(1, "look"),
    **{
        name: _path(0, "write")
        for name in (
            *("unlink", "mkdir", "rmdir", "chmod", "chown", "lchown", "truncate", "mknod", "utime", "utimes"),
            *("setxattr", "lsetxattr", "removexattr", "lremovexattr"),
        )
    },
    **{
        name: _path(1, "write", 0)
        for name in ("unlinkat", "mkdirat", "fchmodat", "fchmodat2", "fchownat", "mknodat", "utimensat", "futimesat")
    },
    **{name: (*_path(0, "write"), *_path(1, "write")) for name in ("rename", "link")},
    **{name: (*_path(1, "write", 0), *_path(3, "write", 2)) for name in ("renameat", "renameat2", "linkat")},
    "symlink": _path(1, "write"),
    "symlinkat": _path(2, "write", 1),
}
ADDRESSES: Final[dict[str, Address]] = {
    "bind": Address(at=1, size=2, bind=True),
    "connect": Address(at=1, size=2),
    "sendto": Address(at=4, size=5),
    "sendmsg": Address(at=1, size=-1, header=True),
}
SHOWN: Final = frozenset((*PATHS, *ADDRESSES))
"""Calls that the recorder must be told of each time."""
WRITES: Final = 0o1 | 0o2 | 0o100 | 0o1000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC: the same on amd64 and arm64."""
