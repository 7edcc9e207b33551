"""Which file systems keep honest clocks. A path and its device in, yes or no out; reads /proc."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = "/proc/self/mountinfo"
HONEST = frozenset(
    "bcachefs btrfs erofs ext2 ext3 ext4 f2fs overlay ramfs squashfs tmpfs xfs zfs".split()  # noqa: SIM905
)
"""Stamped by this machine's kernel. Not: network, FUSE and shared folders, whose server's clock is another one."""
_ESCAPE = re.compile(r"\\([0-7]{3})")


def honest(path: str, device: int) -> bool:
    """True when files on the device that `path` is on are stamped by this machine's clock."""
    try:
        lines = Path(MOUNTS).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    rows = [_row(line) for line in lines]
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = {kind for found, _, kind in rows if found == number}
    if not kinds:  # btrfs gives each subvolume a device of its own
        real = os.path.realpath(path)
        over = [(len(point), kind) for _, point, kind in rows if os.path.commonpath((real, point)) == point]
        kinds = {max(over)[1]} if over else set()
    return bool(kinds) and kinds <= HONEST


def _row(line: str) -> tuple[str, str, str]:
    """Device numbers, mount point and type (proc_pid_mountinfo(5))."""
    before, _, after = line.partition(" - ")
    fields = before.split(" ")
    return fields[2], _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]), after.partition(" ")[0]
