"""Paths that settings name: inside the repository, or inside the image. Checked as text only; touches nothing."""

from __future__ import annotations

import posixpath

from wherry.errors import UsageError
from wherry.model.plan import MOUNTED
from wherry.plan.answer import refuse, where
from wherry.plan.tiers import Effective, Keys


def inside(settings: Effective, keys: Keys, path: str) -> str:
    """`path`, as seen from the settings' folder, as a normal path relative to the repository's root. UsageError [path-escape]
    when it leads out (A09); the files themselves are checked by whoever opens them."""
    source = settings.source(*keys)
    normal = posixpath.normpath(posixpath.join(source.directory, path))
    if not path or path.startswith(("/", "~")) or normal.split("/")[0] == ".." or "\\" in path or "\0" in path:
        raise UsageError(
            "path-escape",
            f"{path[:80]!r} is not a path inside the repository",
            where=where(source, keys),
            next="write a path relative to wherry.toml that stays in the repository",
        )
    return normal


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
