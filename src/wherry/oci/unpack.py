"""Layers put on top of one another, safely. Packed layers in, a folder or a listing out; touches folder and layer files.

Every step goes through descriptors that follow no link, from the folder down: no name or link in a layer can lead out of it
(B02, B03, B06). Of each layer the whiteouts are applied first, as the spec says, wherever in the archive they stand (B05).
The folder must be private while this runs; against someone who changes it meanwhile nothing is promised (B07).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wherry.errors import CorruptError, RefusedError
from wherry.kit.decompress import Bounds
from wherry.kit.files import disk_errors
from wherry.kit.streams import CHUNK
from wherry.kit.value import Value
from wherry.oci.layer import Packed, read
from wherry.oci.untar import Content, Member

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Unpacked(Value, frozen=True, kw_only=True):
    """What came out: the number of entries, the paths that one layer holds twice (the last won), and devices left out."""

    entries: int = 0
    duplicates: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def flatten(layers: Iterable[Packed], *, bounds: Bounds | None = None) -> dict[str, Member]:
    """What a container would see, by path: the members of all layers, whiteouts applied, the root left out."""
    return stacked([member for member, _ in read(packed, bounds=bounds)] for packed in layers)


def stacked(layers: Iterable[list[Member]]) -> dict[str, Member]:
    """The same from the members of each layer, lowest first."""
    tree: dict[str, Member] = {}
    for upper in layers:
        for member in upper:
            if member.kind in ("whiteout", "opaque"):
                _hide(tree, member)
        for member in upper:
            if member.path and member.kind not in ("whiteout", "opaque"):
                if member.kind != "directory":
                    _hide(tree, Member(path=member.path, kind="whiteout"))
                tree[member.path] = member
    return tree


def _hide(tree: dict[str, Member], whiteout: Member) -> None:
    beneath = whiteout.path + "/" if whiteout.path else ""
    for path in [path for path in tree if path.startswith(beneath)]:
        del tree[path]
    if whiteout.kind == "whiteout":
        tree.pop(whiteout.path, None)


def extract(layers: Iterable[Packed], root: Path, *, owners: bool = False, bounds: Bounds | None = None) -> Unpacked:
    """Unpacks `layers`, lowest first, into `root`, which is made if it is not there and must be empty. With `owners` files get
    their uid and gid (needs root's rights). Devices and times are left out.

    CorruptError [bad-tar], [through-link] (an entry beneath something that is no directory), [digest-mismatch] ...; then `root`
    holds what was unpacked so far, and is not to be used. RefusedError [not-empty]; UnavailableError [disk].
    """
    with disk_errors(root):
        root.mkdir(mode=0o700, exist_ok=True)
        with _opened(root) as descriptor:
            if os.listdir(descriptor):  # noqa: PTH208 - of the folder that is open, not of what the name means now
                raise RefusedError("not-empty", f"{root} is not empty", where=str(root), next="name a new folder")
            unpacking = _Unpacking(descriptor, owners=owners)
            for number, packed in enumerate(layers):
                if number:
                    for member, _ in read(packed, bounds=bounds):
                        unpacking.remove(member)
                unpacking.names = set()
                for member, content in read(packed, bounds=bounds):
                    unpacking.add(member, content)
            unpacking.finish()
    return Unpacked(
        entries=unpacking.entries,
        duplicates=tuple(dict.fromkeys(unpacking.duplicates)),
        left_out=tuple(dict.fromkeys(unpacking.left_out)),
    )


class _Unpacking:
    def __init__(self, root: int, *, owners: bool) -> None:
        self.root, self.owners = root, owners
        self.entries = 0
        self.names: set[str] = set()
        self.duplicates: list[str] = []
        self.left_out: list[str] = []
        self.directories: dict[str, Member] = {}

    def remove(self, member: Member) -> None:
        """What a whiteout of an upper layer hides."""
        if member.kind == "opaque":
            with self.folder(member.path, missing="skip") as parent:
                if parent is not None:
                    for name in os.listdir(parent):  # noqa: PTH208 - of an open folder
                        self.clear(_joined(member.path, name), parent, name)
        elif member.kind == "whiteout":
            above, _, name = member.path.rpartition("/")
            with self.folder(above, missing="skip") as parent:
                if parent is not None:
                    self.clear(member.path, parent, name)

    def add(self, member: Member, content: Content) -> None:
        if member.kind in ("whiteout", "opaque"):
            return
        self.entries += 1
        if member.path in self.names:
            self.duplicates.append(member.path)
        self.names.add(member.path)
        if not member.path:
            self.directories[""] = member
            return
        above, _, name = member.path.rpartition("/")
        with self.folder(above, missing="make") as parent:
            assert parent is not None
            self.put(member, content, parent, name)

    def put(self, member: Member, content: Content, parent: int, name: str) -> None:
        there = _status(parent, name)
        if member.kind == "directory":
            if there is None or not stat.S_ISDIR(there.st_mode):
                self.clear(member.path, parent, name)
                os.mkdir(name, 0o700, dir_fd=parent)
            self.directories[member.path] = member
            return
        if member.kind == "hardlink":
            self.hard_link(member, parent, name)
            return
        self.clear(member.path, parent, name)
        if member.kind == "link":
            os.symlink(member.target, name, dir_fd=parent)
            if self.owners:
                os.chown(name, member.uid, member.gid, dir_fd=parent, follow_symlinks=False)
        elif member.kind == "file":
            descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                while chunk := content.read(CHUNK):
                    _write(file.fileno(), chunk)
                self.describe(member, file.fileno())
        else:
            self.left_out.append(member.path)

    def hard_link(self, member: Member, parent: int, name: str) -> None:
        """A second name for a file that is already there; the value that was checked is the one that is used (B03)."""
        above, _, base = member.target.rpartition("/")
        with self.folder(above, missing="skip") as source:
            there = None if source is None else _status(source, base)
            if member.target == member.path or there is None or not stat.S_ISREG(there.st_mode):
                raise CorruptError(
                    "bad-tar", f"{member.path!r} is a hard link to {member.target!r}, which is no file here"
                )
            self.clear(member.path, parent, name)
            os.link(base, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)

    def clear(self, path: str, parent: int, name: str) -> None:
        there = _status(parent, name)
        if there is None:
            return
        if stat.S_ISDIR(there.st_mode):
            shutil.rmtree(name, dir_fd=parent)
            gone = [known for known in self.directories if known == path or known.startswith(path + "/")]
            for known in gone:
                del self.directories[known]
        else:
            os.unlink(name, dir_fd=parent)

    @contextlib.contextmanager
    def folder(self, path: str, *, missing: str) -> Iterator[int | None]:
        """The open directory `path` beneath the root; CorruptError [through-link] when a part of it is something else."""
        descriptor = os.dup(self.root)
        try:
            walked = ""
            for part in path.split("/") if path else ():
                walked = _joined(walked, part)
                there = _status(descriptor, part)
                if there is None and missing == "skip":
                    yield None
                    return
                if there is None:
                    os.mkdir(part, 0o700, dir_fd=descriptor)
                    self.directories[walked] = Member(path=walked, kind="directory", mode=0o755)
                elif not stat.S_ISDIR(there.st_mode):
                    raise CorruptError(
                        "through-link", f"{path!r} leads through {part!r}, which is no directory", where=path
                    )
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def describe(self, member: Member, descriptor: int) -> None:
        if self.owners:
            os.fchown(descriptor, member.uid, member.gid)
        os.fchmod(descriptor, member.mode)

    def finish(self) -> None:
        """Modes of directories, deepest first: one that is read-only could not have been filled."""
        for path in sorted(self.directories, reverse=True):
            with self.folder(path, missing="skip") as descriptor:
                if descriptor is not None:
                    self.describe(self.directories[path], descriptor)


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[int]:
    descriptor = os.open(root, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _status(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]
