"""Generated files compared with those that people have looked at. Files in, nothing out; with WRITE_GOLDENS=1 they are written
below tests/golden/generate.
"""

from __future__ import annotations

import os
from pathlib import Path

from wherry.model.file import File

GOLDENS = Path(__file__).parents[1] / "golden/generate"


def same_as_golden(name: str, files: tuple[File, ...]) -> None:
    """`name` is the folder: makefile-api, compose-dev-jobs. Paths that leave it lie below `up/`."""
    made = {one.path.replace("../", "up/"): one.text for one in files}
    folder = GOLDENS / name
    if os.environ.get("WRITE_GOLDENS") == "1":
        for path, text in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    known = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert made == known, f"{folder}: look at it, then WRITE_GOLDENS=1"
