"""Paths that settings name: inside the repository, or inside the image. Checked as text only; touches nothing."""

from __future__ import annotations

import posixpath

from wherry.errors import UsageError
from wherry.plan.answer import refuse, where
from wherry.plan.layers import Effective, Keys

#: Runtimes mount these; what an image has there is hidden.
MOUNTED = ("/proc", "/sys", "/dev")


def inside(settings: Effective, keys: Keys, path: str) -> str:
    """`path` as a normal relative path of the repository. UsageError [path-escape] when it leads out (A09); the files themselves
    are checked by whoever opens them."""
    if not path or path.startswith(("/", "~")) or ".." in path.split("/") or "\\" in path or "\0" in path:
        raise UsageError(
            "path-escape",
            f"{path[:80]!r} is not a path inside the repository",
            where=where(settings.source(*keys), keys),
            next="write a path relative to the repository's root, without '..'",
        )
    return posixpath.normpath(path)


def in_image(settings: Effective, keys: Keys, path: str) -> str:
    """`path` as a normal absolute path of the image; UsageError [bad-setting] for none, the root, and what runtimes mount."""
    bad = not path.startswith("/") or ".." in path.split("/") or not path.isprintable() or "\\" in path
    normal = posixpath.normpath("/" + path.lstrip("/"))
    if bad or normal == "/":
        refuse(
            settings,
            keys,
            f"{path[:80]!r} is no folder inside an image",
            next="write an absolute path without '..', like /var/lib/app",
        )
    if any(normal == mount or normal.startswith(f"{mount}/") for mount in MOUNTED):
        refuse(
            settings,
            keys,
            f"{path[:80]!r} is hidden by what container runtimes mount there",
            next="choose a folder like /var/lib/app",
        )
    return normal
