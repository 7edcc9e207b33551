"""Files as a process of another root sees them. A thread's id and a path in, what the path is there out; reads /proc and what the
path leads to.

Nothing is opened through a container's links by this machine's kernel: each link is read and followed here, inside that root.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from wherry.model.recording import Intent, State

_LINKS: Final = 40
"""As many links as the kernel follows."""


class Inside:
    """The root of one thread, and who it is."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.root = f"/proc/{thread}/root"
        ids = {
            line.split(":")[0]: line.split()[1:] for line in _text(f"/proc/{thread}/status").splitlines() if ":" in line
        }
        self.uid = int(ids.get("Uid", ["0", "0"])[1])
        self.groups = {int(one) for one in (*ids.get("Gid", ["0", "0"])[1:2], *ids.get("Groups", ()))}
        self.mighty = bool(int(ids.get("CapEff", ["0"])[0], 16) & 0b110)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

    def absolute(self, path: str, folder: int) -> str:
        """`path` from the root on; `folder` is a descriptor of the thread, or AT_FDCWD."""
        if path.startswith("/"):
            return os.path.normpath(
                f"/{path.lstrip('/')}"
            )  # two slashes have a meaning of their own for normpath, not for Linux
        link = "cwd" if folder < 0 else f"fd/{folder}"
        try:
            base = os.readlink(f"/proc/{self.thread}/{link}")
        except OSError:
            base = "/"
        return os.path.normpath(f"/{base.strip('/')}/{path}" if path else base)

    def state(self, path: str, intent: Intent) -> State:
        """Whether the thread could have it for `intent`."""
        place = self._real(path)
        try:
            found = os.lstat(place)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                return "denied"
            return self._new(place) if intent == "write" else "missing"
        if intent == "look":
            return "there"
        if intent == "write" and self._read_only(place) and not stat.S_ISCHR(found.st_mode):
            return "denied"
        return "there" if self._may(found, {"read": 4, "write": 2, "run": 1}[intent]) else "denied"

    def _new(self, place: str) -> State:
        """Whether a file may be made there."""
        folder = os.path.dirname(place)
        try:
            found = os.stat(folder)
        except OSError:
            return "missing"
        return "there" if not self._read_only(folder) and self._may(found, 3) else "denied"

    def _may(self, found: os.stat_result, wanted: int) -> bool:
        """Classic rights; access lists are not looked at."""
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.groups else 0
        return self.mighty or found.st_mode >> shift & wanted == wanted

    @staticmethod
    def _read_only(place: str) -> bool:
        try:
            return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
        except OSError:
            return False

    def _real(self, path: str) -> str:
        """Where this machine finds `path`; /proc/self is the thread's own."""
        parts = [part for part in path.split("/") if part]
        if len(parts) > 1 and parts[0] == "proc" and parts[1] in ("self", "thread-self"):
            return "/".join((f"/proc/{self.thread}", *parts[2:]))
        return real(self.root, path)


def real(root: str, path: str) -> str:
    """Where this machine finds what is `path` from `root` on: links followed inside the root, the last component's too."""
    done: list[str] = []
    rest = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    links = 0
    while rest:
        part = rest.pop()
        if part == "..":
            done = done[:-1]
            continue
        target = _link("/".join((root, *done, part)))
        if target is None or links == _LINKS:
            done.append(part)
            continue
        links += 1
        done = [] if target.startswith("/") else done
        rest.extend(one for one in reversed(target.split("/")) if one not in ("", "."))
    return "/".join((root, *done))


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
