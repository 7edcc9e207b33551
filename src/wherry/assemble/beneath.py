"""Looking into a folder without ever leaving it. A root and paths in, real paths and open folders out; touches the root.

Folders are opened one part at a time without following links, and links are followed by hand: nobody can swap a folder for
a link between a check and its use (A09).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from wherry.errors import RefusedError, UsageError
from wherry.kit import snapshot
from wherry.kit.snapshot import Snapshot

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS: Final = 40
"""As many as Linux follows in one path."""

Parts = tuple[str, ...]


class Root:
    """An open folder that nothing is looked up outside of. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    @contextlib.contextmanager
    def folder(self, parts: Parts) -> Iterator[int]:
        """The folder at `parts`, none of which may be a link; raises OSError."""
        descriptor = os.dup(self.descriptor)
        try:
            for part in parts:
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def resolve(self, folder: Parts, path: str, *, name: str) -> Parts:
        """Where `path`, seen from `folder`, really lies; `name` is what errors call it. RefusedError [asset-outside] or
        [asset-loop], UsageError [asset-missing]."""
        if path.startswith("/"):
            raise _outside(name, path)
        here, waiting, links = list(folder), path.split("/")[::-1], 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not here:
                    raise _outside(name, path)
                here.pop()
                continue
            target = self._link(tuple(here), part, name)
            if target is None:
                here.append(part)
                continue
            links += 1
            if links > _LINKS:
                raise RefusedError("asset-loop", f"{name} is a link that leads round in a circle", where=name)
            if target.startswith("/"):
                raise _outside(name, target)
            waiting += target.split("/")[::-1]
        return tuple(here)

    def is_folder(self, parts: Parts) -> bool:
        """True for a folder, false for anything else; raises OSError when there is nothing."""
        if not parts:
            return True
        with self.folder(parts[:-1]) as parent:
            return stat.S_ISDIR(os.stat(parts[-1], dir_fd=parent, follow_symlinks=False).st_mode)

    def file(self, parts: Parts) -> Snapshot:
        """The file at `parts`, none of which may be a link; raises OSError, and BuildError [not-a-file]."""
        with self.folder(parts[:-1]) as parent:
            return snapshot.look(str(self.path.joinpath(*parts)), directory=parent)

    def _link(self, folder: Parts, part: str, name: str) -> str | None:
        try:
            with self.folder(folder) as parent:
                if not stat.S_ISLNK(os.stat(part, dir_fd=parent, follow_symlinks=False).st_mode):
                    return None
                return os.readlink(part, dir_fd=parent)
        except (FileNotFoundError, NotADirectoryError) as error:
            missing = "/".join((*folder, part))
            what = "does not exist" if missing == name else f"leads to {missing}, which does not exist"
            raise UsageError(
                "asset-missing",
                f"the asset {name} {what}",
                where=name,
                next="correct the path under [[image.assets]] in wherry.toml",
            ) from error


def _outside(name: str, target: str) -> RefusedError:
    return RefusedError(
        "asset-outside",
        f"the asset {name} lies outside the repository" + (f": it leads to {target}" if target != name else ""),
        where=name,
        why="an image holds only what its repository holds",
        next="copy the file into the repository, or leave it out with exclude",
    )
