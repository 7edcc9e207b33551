"""The Which port: names of programs in, absolute paths out; reads PATH's folders."""

from __future__ import annotations

import os

from wherry.kit.goenv import search_path
from wherry.kit.ports import Which


def programs(path: str, *, root: str = "") -> Which:
    """Finds programs on `path`, but never in an empty or relative entry, nor in one inside the repository `root` (A13)."""
    folders = tuple(entry for entry in search_path(path, root).split(os.pathsep) if entry)
    inside = os.path.realpath(root) if root else ""

    def which(name: str, /) -> str:
        if not name or "/" in name or "\0" in name:
            return ""
        for folder in folders:
            candidate = os.path.join(folder, name)  # noqa: PTH118 - keeps the user's spelling
            is_file = os.path.isfile(candidate)  # noqa: PTH113 - Path.is_file raises where a folder may not be read
            if is_file and os.access(candidate, os.X_OK) and not _leads_into(candidate, inside):
                return candidate
        return ""

    return which


def _leads_into(candidate: str, inside: str) -> bool:
    return bool(inside) and os.path.commonpath((os.path.realpath(candidate), inside)) == inside
