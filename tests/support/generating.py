"""`wherry init` and `wherry generate` in a repository, without a registry. A folder and words in, what was said out."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import Done, wherry


def ran(*arguments: str, cwd: Path) -> Done:
    """Without a registry: digests are then missing, which is told and no error."""
    return wherry(*arguments, home=cwd.parent / "home", cwd=cwd, WHERRY_OFFLINE="1")
