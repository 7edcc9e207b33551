"""Where things come to lie in an image. Entries and what the base holds in, entries with their parents out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from wherry.errors import BuildError, UsageError
from wherry.oci.tar import Entry

Tree = Mapping[str, Entry]
"""Directories and links of the layers below, by path."""

_LINKS = 40


def place(entries: Iterable[Entry], below: Tree) -> tuple[Entry, ...]:
    """`entries` where the layers below have their directories, and with every parent.

    A parent that is a link below (/lib on Debian) is followed, since writing it as a directory would replace it. A parent that is
    a directory below is written again just as it is there: some engines unpack each layer into an empty folder and would give
    a missing parent a mode of their own, which then hides the base's.
    """
    made = [
        msgspec.structs.replace(entry, path=resolved(entry.path, below, last=entry.kind == "directory"))
        for entry in entries
    ]
    complete = {entry.path: entry for entry in made if entry.kind == "directory"}
    for entry in made:
        parts = entry.path.split("/")
        for depth in range(1, len(parts)):
            path = "/".join(parts[:depth])
            complete.setdefault(path, below.get(path) or Entry(path=path, kind="directory", mode=0o755))
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
    """The plan's `uid:gid` as two numbers."""
    uid, _, gid = user.partition(":")
    return int(uid), int(gid or uid)


def resolved(path: str, below: Tree, *, last: bool = True) -> str:
    """`path` with links below followed; its last part too only if `last`. BuildError [base-loop]."""
    here: list[str] = []
    waiting = path.split("/")[::-1]
    links = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            here = here[:-1]
        elif part not in ("", "."):
            found = below.get("/".join((*here, part)))
            if found is None or found.kind != "link" or (not waiting and not last):
                here.append(part)
                continue
            links += 1
            if links > _LINKS:
                raise BuildError("base-loop", f"a link in the base leads /{path} round in a circle", where="/" + path)
            here = [] if found.target.startswith("/") else here
            waiting += found.target.split("/")[::-1]
    return "/".join(here)
