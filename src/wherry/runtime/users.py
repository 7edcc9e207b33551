"""Who an image's user is, in numbers. A user's text and an unpacked root in, a User out; reads two files of that root (F07)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.errors import UsageError
from wherry.model.container import User

LARGEST: Final = 2**31 - 1
MOST: Final = 1 << 20
"""Bytes of passwd and group that are read."""
_NUMBER: Final = re.compile(r"\d+", re.ASCII)


def resolve(root: Path, text: str) -> User:
    """`65532`, `65532:65532`, `nonroot`, `nonroot:nonroot`; empty is root. A number is a number even where a user is called so.
    UsageError [bad-user] for what is too large or unknown."""
    who, colon, group = text.partition(":")
    row = (
        next((row for row in _rows(root, "etc/passwd") if row[0] == who), None) if who and not _is_number(who) else None
    )
    if who and not _is_number(who) and row is None:
        raise _refused(text, f"the image knows no user {who[:40]!r}")
    uid = _checked(text, row[2] if row else who or "0")
    if group:
        gid = _group(root, text, group)
    else:
        own = row or next((row for row in _rows(root, "etc/passwd") if row[2] == str(uid)), None)
        gid = _checked(text, own[3]) if own and len(own) > 3 else 0 if not who else uid if not colon else 0
    extra = _groups(root, row[0]) if row and not group else ()
    return User(uid=uid, gid=gid, groups=tuple(one for one in extra if one != gid))


def home(root: Path, uid: int) -> str:
    """Where the first row of /etc/passwd with this number says that its user is at home; / where there is none."""
    found = next((row[5] for row in _rows(root, "etc/passwd") if len(row) > 5 and row[2] == str(uid)), "")
    return found if found.startswith("/") and found.isprintable() else "/"


def _group(root: Path, text: str, group: str) -> int:
    if _is_number(group):
        return _checked(text, group)
    for row in _rows(root, "etc/group"):
        if row[0] == group:
            return _checked(text, row[2])
    raise _refused(text, f"the image knows no group {group[:40]!r}")


def _groups(root: Path, name: str) -> tuple[int, ...]:
    found = [row[2] for row in _rows(root, "etc/group") if len(row) > 3 and name in row[3].split(",")]
    return tuple(sorted({int(number) for number in found if _is_number(number) and int(number) <= LARGEST}))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _checked(text: str, number: str) -> int:
    if not _is_number(number) or len(number) > 10 or int(number) > LARGEST:
        raise _refused(text, f"{number[:40]!r} is no number from 0 to {LARGEST}")
    return int(number)


def _rows(root: Path, name: str) -> Iterator[list[str]]:
    """Lines of a file of the image, split; nothing of a link, a pipe, or behind the first MOST bytes."""
    try:
        folder = os.open(
            root / name.split("/", maxsplit=1)[0], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        )
    except OSError:
        return
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(name.rpartition("/")[2], flags, dir_fd=folder), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return
            lines = file.read(MOST).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    finally:
        os.close(folder)
    for line in lines:
        row = line.split(":")
        if len(row) > 2:
            yield row


def _refused(text: str, message: str) -> UsageError:
    return UsageError("bad-user", message, where=f"user {text[:60]!r}", next="--user 65532:65532")
