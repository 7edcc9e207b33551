"""Damaged things out of the way (E04). A path in, the same name free again; touches the cache's `damaged/`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from wherry.cache.folders import Folders


def move_aside(folders: Folders, path: Path) -> None:
    """Renames whatever is at `path` into `damaged/`; nothing there any more is fine, and so is a disk that will not."""
    with contextlib.suppress(OSError):
        path.rename(f"{folders.damaged}/{path.name[:64]}.{os.urandom(4).hex()}")
