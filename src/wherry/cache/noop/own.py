"""Wherry itself as an input: its code, and the packages whose version can move a digest. Inputs out; reads sys.path."""

from __future__ import annotations

import os
import sys

import wherry
from wherry.cache.noop.inputs import Inputs, Tree

PACKAGES = ("certifi", "deflate", "msgspec", "tree_sitter", "tree_sitter_go", "tzdata", "zstandard")
"""Certificates, zones, compressed bytes, JSON, and what is inferred from Go sources. Others only show or carry."""


def own_inputs() -> Inputs:
    """The code that runs now. A package is known by the files that say its version; the names in each folder of sys.path, where
    another could appear, count as well."""
    folders = tuple(dict.fromkeys(os.path.abspath(entry) for entry in sys.path if entry))
    paths: list[str] = list(folders)
    for name in PACKAGES:
        found = _metadata(folders, name)
        if not found:
            return Inputs(unclear=f"the version of the Python package {name} was not found")
        paths += found
    return Inputs(paths=tuple(paths), trees=(Tree(root=os.path.dirname(wherry.__file__)),))


def _metadata(folders: tuple[str, ...], name: str) -> tuple[str, ...]:
    """METADATA and RECORD of the first installed distribution of that name (PyPA, "Recording installed projects")."""
    for folder in folders:
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            written, _, _ = entry.removesuffix(".dist-info").partition("-")
            if entry.endswith(".dist-info") and written.lower().replace("-", "_").replace(".", "_") == name:
                return f"{folder}/{entry}/METADATA", f"{folder}/{entry}/RECORD"
    return ()
