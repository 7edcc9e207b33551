"""Which known holes a runtime has (F02). Its name, version and path in, names of holes out; reads what Debian's packages say.

A distribution mends an old version without giving it another number, and says so in its changelog: that is what counts. What lies
beside a distribution's packages, as in /usr/local, is what its number says.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.kit.value import Value

FINAL: Final = 99
"""What stands for no release candidate, whose number is the fourth."""
_TRIO: Final = ((1, 2, 8, FINAL), (1, 3, 3, FINAL), (1, 4, 0, 3))
Versions = tuple[tuple[int, ...], ...]
#: How a container gets at its host, and the first version of each branch in which it does not; what is above the last branch has
#: no such hole either. What crun mends later (CVE-2026-88264, -88265) needs a container without a mount on /dev; wherry's have
#: one.
HOLES: Final[dict[str, dict[str, Versions]]] = {
    "runc": {
        **dict.fromkeys(("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"), _TRIO),
        "CVE-2026-41579": ((1, 3, 6, FINAL), (1, 4, 3, FINAL), (1, 5, 0, 3)),
    },
    "crun": {"CVE-2025-24965": ((1, 20, 0, FINAL),)},
}
MANAGED: Final = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/")
"""Where distributions put programs, and nobody else."""
DPKG: Final = "var/lib/dpkg/info"


class Holes(Value, frozen=True, kw_only=True):
    """What is known of one runtime."""

    names: tuple[str, ...] = ()
    """Those that nobody says are mended."""
    packaged: bool = False
    """A distribution looks after it."""


def holes(name: str, version: str, program: str, root: Path = Path("/")) -> Holes:
    """Those of the program, which lies at that path below `root`; none of an engine that is not in the table."""
    known = tuple(hole for hole, branches in HOLES.get(name, {}).items() if not _is_safe(numbers(version), branches))
    path = "/" + os.path.relpath(os.path.realpath(root / program.lstrip("/")), os.path.realpath(root))
    if not known or not path.startswith(MANAGED):
        return Holes(names=known)
    if not (root / DPKG).is_dir():
        return Holes(names=known, packaged=True)
    for package in _packages(name, path, root):
        text = _changelog(package, root)
        return Holes(names=tuple(hole for hole in known if hole not in text), packaged=True)
    return Holes(names=known)


def _is_safe(version: tuple[int, ...], branches: Versions) -> bool:
    near = [one for one in branches if one[:2] == version[:2]]
    return version >= branches[-1] or bool(near and version >= near[0])


def numbers(version: str) -> tuple[int, ...]:
    """Three numbers, and that of a release candidate: 1.5.0-rc.3 is 1, 5, 0, 3."""
    plain, _, suffix = version.partition("+")[0].partition("-")
    found = [int(number) for number in re.findall(r"\d+", plain)]
    candidate = re.match(r"rc\.?(\d+)", suffix)
    return (*(*found, 0, 0, 0)[:3], int(candidate[1]) if candidate else FINAL)


def _packages(name: str, path: str, root: Path) -> Iterator[str]:
    """The distribution's own package of that name that holds the program; others, as containerd.io, bring one without its mends.
    /sbin is /usr/sbin, and dpkg knows it by either name."""
    for file in sorted((root / DPKG).glob(f"{name}*.list")):
        if {path, path.removeprefix("/usr")} & set(file.read_text("utf-8", "replace").splitlines()):
            yield file.stem.partition(":")[0]


def _changelog(package: str, root: Path) -> str:
    """Empty where it was left out, as in small images."""
    try:
        return gzip.decompress((root / f"usr/share/doc/{package}/changelog.Debian.gz").read_bytes()).decode(
            "utf-8", "replace"
        )
    except (OSError, EOFError):
        return ""
