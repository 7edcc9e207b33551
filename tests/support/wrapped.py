"""`wherry` as a program on PATH, for the files that call it by that name. A folder in, variables out; writes one script."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.support.cli import COMMAND, variables


def on_path(folder: Path, home: Path, **changes: str) -> dict[str, str]:
    """The environment of `tests.support.cli.wherry`, with a folder before PATH that holds this wherry."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wherry").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (folder / "wherry").chmod(0o755)
    known = variables(home, **changes)
    return {**known, "PATH": f"{folder}:{known['PATH']}"}
