"""Caches for tests: a folder in, prepared caches out; touches that folder."""

from __future__ import annotations

from pathlib import Path

from wherry.cache.folders import Folders, locate, prepare


def cache(folder: Path) -> Folders:
    """An empty cache below `folder`."""
    return prepare(locate({"WHERRY_CACHE_DIR": str(folder / "cache")}))
