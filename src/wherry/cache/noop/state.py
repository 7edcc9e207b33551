"""What lies at a path, and whether that is still so. Paths in, numbers and proofs out; reads the disk.

A path's stats are six numbers of its inode and its device; equal stats mean equal content, because nobody can set a file's
change time, and those that could be equal by chance (see `settled`) are never relied on. A proof says more than stats, and
stands when only they have changed:

    f<sha256>  a file's bytes            d<sha256>  a folder's names and their kinds
    l<text>    a link's text             g<sha256>  the same, but only folders, Go files and GO_NAMES
    s          nothing but its stats     p          nothing but its owner and mode
"""

from __future__ import annotations

import hashlib
import os
import stat
import time

Stats = list[int]
"""Mode, owner, size, modified and changed (nanoseconds), inode, device."""

COARSE_NS = 1_000_000
LAG_NS = 2_000_000_000
UNDISTURBED_NS = 100_000
COARSE_CLOCK = 5
"""CLOCK_REALTIME_COARSE: the kernel stamps files with it, so a file changed from now on is not stamped earlier than it reads
now."""
GO_NAMES = ("go.mod", "wherry.lock", "wherry.toml")
"""Counted beside folders and Go files where only what makes packages counts."""
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def stats(path: str) -> Stats | None:
    """Of the path itself, links not followed; None when nothing is there. OSError when that cannot be told."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [
        found.st_mode,
        found.st_uid,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_ino,
        found.st_dev,
    ]


def changed_at(found: Stats) -> int:
    """The change time (ctime), nanoseconds."""
    return found[4]


def clock() -> tuple[int, int]:
    """The kernel's stamp for files now, and by how much the time of day is ahead of a clock that nobody sets; nanoseconds."""
    stamp = time.clock_gettime_ns(COARSE_CLOCK)
    ahead = 0
    for _ in range(20):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        ahead = time.clock_gettime_ns(time.CLOCK_REALTIME) - before
        if time.clock_gettime_ns(time.CLOCK_BOOTTIME) - before < UNDISTURBED_NS:
            break
    return stamp, ahead


def settled(found: Stats, now: int) -> bool:
    """True when any change after the clock read `now` must show in the stats: the last one was in an earlier tick of the clock.
    A stamp without microseconds may come from a file system that counts in seconds (git calls such files racy)."""
    return changed_at(found) < now - (LAG_NS if changed_at(found) % COARSE_NS == 0 else 0)


def kind_of(found: Stats) -> str:
    """The first letter of the fullest proof for what is there."""
    mode = found[0]
    if stat.S_ISREG(mode):
        return "f"
    if stat.S_ISDIR(mode):
        return "d"
    return "l" if stat.S_ISLNK(mode) else "s"


def prove(path: str, kind: str) -> str:
    """The proof of that kind for what is at `path` now; OSError when it cannot be read."""
    if kind == "f":
        return "f" + hash_file(path)
    if kind in ("d", "g"):
        return kind + _listing(path, go=kind == "g")
    return "l" + os.readlink(path) if kind == "l" else kind


def recheck(path: str, before: Stats, proof: str) -> Stats | None:
    """The new stats, if what is at `path` is still what was proved; else None. OSError when it cannot be read."""
    now = stats(path)
    if now is None or now[:2] != before[:2] or stat.S_IFMT(now[0]) != stat.S_IFMT(before[0]):
        return None
    if proof == "s":
        return now if now == before else None
    return now if prove(path, proof[0]) == proof and stats(path) == now else None


def hash_file(path: str) -> str:
    """SHA-256 of a regular file, in hexadecimal."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listing(path: str, *, go: bool) -> str:
    with os.scandir(path) as entries:
        names = [f"{entry.name}\0{_letter(entry)}" for entry in entries]
    if go:
        names = [name for name in names if name.endswith(("\0d", ".go\0", ".go\0l")) or name.split("\0")[0] in GO_NAMES]
    return hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "surrogateescape")).hexdigest()


def _letter(entry: os.DirEntry[str]) -> str:
    return "l" if entry.is_symlink() else "d" if entry.is_dir(follow_symlinks=False) else ""


def boot_id() -> str:
    """Changes with each start of the machine; empty where there is none."""
    try:
        with open(BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
