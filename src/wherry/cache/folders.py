"""Where caches live. Environment variables in, paths out; touches the disk only in `prepare`.

Standard library only when imported: the no-op check asks it before anything else runs (design §6). Not platformdirs: importing
that takes longer than the whole check.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

FORMAT = "1"
"""Part of every path: another format is another folder, never an upgrade in place (E10)."""
TAG = "CACHEDIR.TAG"
TAG_TEXT = """\
Signature: 8a477f597d28d172789f06886806bc55
# Wherry's caches; backups may leave them out. `wherry cache prune` makes room.
"""


class Folders:
    """The folders of one cache. All are on one file system, so that renames and hard links between them work."""

    __slots__ = ("root",)

    def __init__(self, root: str) -> None:
        self.root = root

    @property
    def path(self) -> str:
        return f"{self.root}/{FORMAT}"

    @property
    def blobs(self) -> str:
        """Holds `sha256/<hex>`."""
        return f"{self.path}/blobs"

    @property
    def used(self) -> str:
        """Empty files named like blobs; their time is when the blob was last used."""
        return f"{self.path}/used"

    @property
    def records(self) -> str:
        return f"{self.path}/records"

    @property
    def binaries(self) -> str:
        """Root of the kept binaries: one folder a compilation, made and filled by the compile room."""
        return f"{self.path}/binaries"

    @property
    def noop(self) -> str:
        return f"{self.path}/noop"

    @property
    def scratch(self) -> str:
        """Parent of the private folders of runs."""
        return f"{self.path}/scratch"

    @property
    def locks(self) -> str:
        return f"{self.path}/locks"

    @property
    def damaged(self) -> str:
        """What did not hold what its name promised, moved aside."""
        return f"{self.path}/damaged"


def locate(variables: Mapping[str, str]) -> Folders:
    """The cache that `variables` ask for: WHERRY_CACHE_DIR, else `wherry` in XDG_CACHE_HOME, else in ~/.cache.

    Relative folders are ignored, as the XDG specification says. Nothing is made.
    """
    own = variables.get("WHERRY_CACHE_DIR", "")
    if own.startswith("/"):
        return Folders(own.rstrip("/") or "/")
    shared = variables.get("XDG_CACHE_HOME", "")
    return Folders(f"{shared.rstrip('/') if shared.startswith('/') else _home(variables) + '/.cache'}/wherry")


def prepare(folders: Folders) -> Folders:
    """Makes all folders, 0700. RefusedError [foreign-directory] when one is a link or another user's (E08)."""
    from pathlib import Path

    from wherry.kit.files import atomic_write, disk_errors, private_directory

    if folders.root.startswith(_nobodys_home() + "/"):
        private_directory(Path(_nobodys_home()))
    private_directory(Path(folders.root))
    blobs = (folders.blobs, f"{folders.blobs}/sha256", folders.used)
    rest = (folders.records, folders.binaries, folders.noop, folders.scratch, folders.locks, folders.damaged)
    for name in (folders.path, *blobs, *rest):
        made = private_directory(Path(name))
        with disk_errors(made):
            if made.stat().st_mode & 0o077:
                made.chmod(0o700)
    tag = Path(folders.path, TAG)
    if not tag.exists():
        atomic_write(tag, TAG_TEXT.encode())
    return folders


def _home(variables: Mapping[str, str]) -> str:
    home = variables.get("HOME", "")
    if home:
        return home.rstrip("/")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir.rstrip("/")
    except KeyError:
        return _nobodys_home()


def _nobodys_home() -> str:
    """For a user whom the machine does not know (H07), as in `system.environment`."""
    return f"/tmp/wherry-{os.getuid()}"  # noqa: S108 - prepare refuses it when it is not ours
