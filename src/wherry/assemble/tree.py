"""Where things come to lie in an image. Entries and what the base holds in, entries with their parents out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wherry.errors import UsageError
from wherry.oci.tar import Entry

Tree = Mapping[str, Entry]
"""Directories and links of the layers below, by path."""


def with_parents(entries: Iterable[Entry], below: Tree) -> tuple[Entry, ...]:
    """`entries` with every parent. One that the layers below have is written again as it is there: some engines unpack each
    layer into an empty folder, and would give a missing parent a mode of their own, which then hides the base's."""
    made = tuple(entries)
    complete = {entry.path: entry for entry in made if entry.kind == "directory"}
    for entry in made:
        parts = entry.path.split("/")
        for depth in range(1, len(parts)):
            path = "/".join(parts[:depth])
            known = below.get(path)
            complete.setdefault(path, known or Entry(path=path, kind="directory", mode=0o755))
    return (*complete.values(), *(entry for entry in made if entry.kind != "directory"))


def image_path(text: str) -> str:
    """An absolute path of an image (`/srv/data`) as entries have it (`srv/data`); UsageError [bad-image-path]."""
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not text.startswith("/") or ".." in parts or "\0" in text:
        raise UsageError(
            "bad-image-path",
            f"{text!r} is no path inside an image",
            next="write an absolute path without '..', like /srv/data",
        )
    return "/".join(parts)


def owner(user: str) -> tuple[int, int]:
    """`uid:gid` as two numbers; without a group it is the user's own. UsageError [user] for a name."""
    uid, _, gid = user.partition(":")
    if not (uid.isdecimal() and (gid or uid).isdecimal()):
        raise UsageError("user", f"the user {user!r} is not numeric", next="write it like 65532:65532")
    return int(uid), int(gid or uid)
