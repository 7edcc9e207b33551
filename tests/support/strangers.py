"""An ordinary user of this machine, made for a test and taken away again. Whether it has subordinate ids in, the user out; needs
root. Interpreter and sources may lie where others may not enter: the user's commands have a view of their own of such folders.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import need_root, short_folder
from tests.support.tools import need

ROOT = Path(__file__).parents[2]
#: In a mount namespace of its own: each folder is kept aside, what closes it is covered, and it is put back at its place.
OPEN = """
aside="$1"; shift
mount -t tmpfs -o mode=755 aside "$aside"
while [ "$1" != -- ]; do
  mkdir "$aside/kept"; mount --bind "$2" "$aside/kept"
  mount -t tmpfs -o mode=755 cover "$1"; mkdir -p "$2"; mount --move "$aside/kept" "$2"
  rmdir "$aside/kept"; shift 2
done
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody without any right."""

    name: str
    uid: int
    home: Path
    first: int
    """The first of the subordinate ids; 0: none."""

    def wherry(self, *words: str) -> list[str]:
        """The command line of a wherry that this user starts."""
        user = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        variables = [f"HOME={self.home}", f"PATH={os.environ['PATH']}", f"PYTHONPATH={ROOT / 'src'}", "COLUMNS=80"]
        command = [*user, "env", "-i", *variables, sys.executable, "-P", "-m", "wherry", *words]
        return [
            "unshare",
            "--mount",
            "sh",
            "-ec",
            OPEN,
            "sh",
            str(self.home.parent / "aside"),
            *_closed(),
            "--",
            *command,
        ]


def _closed() -> list[str]:
    """Pairs: a folder that others may not enter, and the folder below it that they need."""
    pairs: dict[str, str] = {}
    for needed in (Path(sys.base_prefix), Path(sys.prefix), ROOT):
        shut = next((one for one in reversed(needed.parents) if not one.stat().st_mode & 0o001), None)
        if shut and not any(needed.is_relative_to(other) for other in pairs.values()):
            pairs[str(shut)] = str(needed)
    return [word for pair in pairs.items() for word in pair]


@contextlib.contextmanager
def stranger(*, subordinate: bool) -> Iterator[Stranger]:
    """A user with a home that others may not list, with or without a range of subordinate ids."""
    need("useradd", "userdel", "setpriv", "unshare", "mount", "newuidmap")
    need_root()
    name = f"wh{os.getpid() % 100_000}{'s' if subordinate else 'n'}"
    with short_folder() as folder:
        folder.chmod(0o755)
        (folder / "aside").mkdir()
        words = ["useradd", "--create-home", "--home-dir", str(folder / "home")]
        for kind in () if subordinate else ("UID", "GID"):  # by itself, behind its lock: another worker adds users, too
            words += ["--key", f"SUB_{kind}_COUNT=0"]
        subprocess.run([*words, name], check=True, capture_output=True)
        try:
            row = next(
                (
                    line.split(":")
                    for line in Path("/etc/subuid").read_text().splitlines()
                    if line.startswith(f"{name}:")
                ),
                None,
            )
            assert bool(row) == subordinate
            uid = pwd.getpwnam(name).pw_uid
            yield Stranger(name=name, uid=uid, home=folder / "home", first=int(row[1]) if row else 0)
        finally:
            subprocess.run(["userdel", "--force", name], check=False, capture_output=True)


def handed(source: Path, user: Stranger) -> Path:
    """A copy that is the user's."""
    target = user.home / source.name
    shutil.copytree(source, target)
    subprocess.run(["chown", "-R", f"{user.uid}:{user.uid}", str(target)], check=True)
    return target
