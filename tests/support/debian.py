"""Debian's packages as files. A release and names in, .deb archives out; fetched once by debootstrap, which checks their
signatures. Needs root.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock

from tests.support.servers import need_root, short_folder
from tests.support.tools import need

RELEASE = "trixie"


def archives(*names: str) -> Path:
    """A folder with `names`, all they depend on, and what each Debian has."""
    key = hashlib.sha256("\0".join((RELEASE, *names)).encode()).hexdigest()[:12]
    folder = Path(os.environ["GO_TOOL_CACHE"], "debian", f"{RELEASE}-{key}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            need("debootstrap", "dpkg-deb")
            need_root()
            _fetch(names, folder)
    return folder


def _fetch(names: tuple[str, ...], folder: Path) -> None:
    with short_folder() as scratch:
        command = ["debootstrap", "--variant=minbase", "--download-only", f"--include={','.join(names)}", RELEASE]
        done = subprocess.run([*command, str(scratch / "root")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(scratch / "root/var/cache/apt/archives", half, ignore=shutil.ignore_patterns("partial", "lock"))
        half.rename(folder)


def closure(folder: Path, names: Iterable[str], without: frozenset[str] = frozenset()) -> list[Path]:
    """The archives of `names` and of all they depend on, but for those `without` which they work for a test, sorted."""
    files, needs = _read(folder)
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name not in found and name not in without:
            found.add(name)
            wanted += [next((one for one in row if one in files), "") for row in needs[name]]
            wanted = [one for one in wanted if one]
    return [files[name] for name in sorted(found)]


@functools.cache
def _read(folder: Path) -> tuple[dict[str, Path], dict[str, list[list[str]]]]:
    """By package: its archive, and what it depends on, each with its alternatives. A name that only other packages provide has no
    archive, and is not followed."""
    files, needs = {}, {}
    for path in folder.glob("*.deb"):
        shown = "${Package}\\n${Pre-Depends}, ${Depends}"
        done = subprocess.run(
            ["dpkg-deb", "--show", f"--showformat={shown}", str(path)], capture_output=True, text=True, check=True
        )
        name, _, rows = done.stdout.partition("\n")
        files[name] = path
        needs[name] = [re.findall(r"(?:^|\|)\s*([a-z0-9][a-z0-9.+-]*)", row) for row in rows.split(",")]
    return files, needs
