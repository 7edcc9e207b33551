"""Unpacked images. Layers in, a folder that containers read out; touches RUN/roots.

A root is named by what it was made of, made aside and renamed when it is whole, and never changed afterwards: containers share it
read-only. One that is written to (`--relax rootfs`) is a copy of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from wherry.kit.files import aside, disk_errors
from wherry.kit.value import Value, decodable
from wherry.model.container import Owned, User
from wherry.oci.layer import Packed
from wherry.runtime.folders import gate

FORMAT: Final = "2"
FACTS: Final = "facts.json"
#: What is mounted over in every container: a read-only root cannot get it later. Modes as runc 1.1.5 leaves them to the tmpfs.
FOLDERS: Final = (("dev", 0o755), ("etc", 0o755), ("proc", 0o555), ("sys", 0o555), ("tmp", 0o1777), ("run", 0o755))
NOBODY: Final = -1
USE: Final = 0o005
"""Reading and entering, or starting, by others."""
FILES: Final = ("etc/hostname", "etc/hosts", "etc/resolv.conf")


class Closed(Value, frozen=True, kw_only=True):
    """A file or folder that its user, or its group, may use in ways that others may not; NOBODY where that one may not."""

    path: str
    uid: int
    gid: int


class Root(Value, frozen=True, kw_only=True):
    """An unpacked image."""

    path: str = ""
    """The folder that is the container's /."""
    owned: tuple[Owned, ...] = ()
    """Folders that belong to some user other than root, the topmost of each."""
    closed: tuple[Closed, ...] = ()
    """One for each owner in each of these folders, and outside of them."""

    def closed_to_others(self, user: User) -> str:
        """A path in it that this user, or whoever copies its owned folders, may use only as one of its owners; empty when there
        is none."""
        ids = {user.gid, *user.groups}
        hidden = {one.path for one in self.owned if one.empty}
        copied = tuple(f"{one.path}/" for one in self.owned if not one.empty)
        for one in self.closed:
            if one.path not in hidden and (one.uid == user.uid or one.gid in ids or f"{one.path}/".startswith(copied)):
                return one.path
        return ""


class Node(NamedTuple):
    """Who may use one file or folder of a root, by its path in there."""

    path: str
    folder: bool
    mode: int
    uid: int
    gid: int


def key(layers: tuple[Packed, ...]) -> str:
    """What a root of these layers is called."""
    return hashlib.sha256("\n".join((FORMAT, *(str(layer.digest) for layer in layers))).encode()).hexdigest()[:32]


def unpacked(run: Path, layers: tuple[Packed, ...]) -> Root:
    """The root of these layers, lowest first; unpacked when it is not there yet. Every byte is compared with the digests.

    What `extract` raises, and UnavailableError [disk]."""
    folder = run / "roots" / key(layers)
    known = _known(folder)
    if known:
        return known
    from wherry.oci.unpack import extract

    with disk_errors(folder), aside(folder) as made:
        made.mkdir(mode=0o711)
        made.chmod(0o711)
        root = made / "root"
        extract(layers, root, owners=os.geteuid() == 0)
        root.chmod(0o755)
        ready(root)
        found = owners(_seen(root) if os.geteuid() == 0 else _said(layers))
        (made / FACTS).write_bytes(msgspec.json.encode(found))
        with gate(run):
            if not folder.exists():
                made.rename(folder)
    return _known(folder) or replace(found, path=str(folder / "root"))


def with_points(run: Path, root: Root, points: tuple[str, ...], *, files: frozenset[str] = frozenset()) -> Root:
    """A root in which all of `points` (absolute paths; those in `files` are files) can be mounted upon: the same one when they
    are all there, else a sister of hard links."""
    missing = tuple(sorted(point for point in points if not _is_point(Path(root.path), point, file=point in files)))
    if not missing:
        return root
    base = Path(root.path).parent
    name = hashlib.sha256("\n".join((base.name, *(f"{one in files} {one}" for one in missing))).encode()).hexdigest()[
        :32
    ]
    folder = run / "roots" / name
    if not _known(folder):
        with disk_errors(folder), aside(folder) as made:
            _clone(base, made, link=True)
            for point in missing:
                make_point(made / "root", point, file=point in files)
            with gate(run):
                if not folder.exists():
                    made.rename(folder)
    return replace(root, path=str(folder / "root"))


def private(root: Root, folder: Path, id_base: int = 0) -> Root:
    """A copy of its own at `folder`, which may be written to; its owners are moved by `id_base` for a user namespace."""
    with disk_errors(folder):
        _clone(Path(root.path).parent, folder, link=False)
        for path, folders, files in os.walk(folder / "root") if id_base else ():
            for one in (path, *(os.path.join(path, name) for name in (*folders, *files))):  # noqa: PTH118 - many
                _move(one, id_base)
    return replace(root, path=str(folder / "root"))


def ready(root: Path) -> None:
    """Makes what runtimes mount upon be real folders and files; a link in their place is taken away (F03)."""
    for name, mode in FOLDERS:
        path = root / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
        if not path.exists():
            path.mkdir()
            path.chmod(mode)
    (root / "tmp").chmod(0o1777)
    for name in FILES:
        make_point(root, f"/{name}", file=True)


def make_point(root: Path, point: str, *, file: bool) -> None:
    """A folder or an empty file at `point`; links on the way are replaced by folders, so that nothing lies outside the root."""
    *above, last = point.strip("/").split("/")
    path = root
    for name in above:
        path /= name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
        if not path.exists():
            path.mkdir(mode=0o755)
            path.chmod(0o755)
    path /= last
    if path.is_symlink() or (path.exists() and path.is_dir() == file):
        path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)
    if not path.exists():
        path.touch(0o644) if file else path.mkdir(0o755)
        path.chmod(0o644 if file else 0o755)


def drop_unused(run: Path, used: frozenset[str], *, before: float) -> int:
    """Removes roots that no container in `used` (paths) has and that were last used before this Unix time; bytes are not
    counted, since files are shared. The number of roots removed."""
    removed = 0
    for folder in sorted((run / "roots").iterdir()) if (run / "roots").is_dir() else ():
        with gate(run):
            path = str(folder / "root")
            if path in used or folder.stat().st_mtime >= before:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def owners(nodes: Iterable[Node]) -> Root:
    """What is to be known of who owns what, of a root whose folders come before what they hold."""
    owned, closed = dict[str, Owned](), dict[tuple[int, int, str], Closed]()
    above = ""
    for node in nodes:
        if above and node.path.startswith(f"{above}/"):
            owned[above] = replace(owned[above], empty=False)
        elif node.folder and node.uid and node.mode & stat.S_IWUSR:
            above = node.path
            owned[above] = Owned(path=above, mode=stat.S_IMODE(node.mode), uid=node.uid, gid=node.gid)
        else:
            above = ""
        uid = node.uid if node.mode >> 6 & ~node.mode & USE else NOBODY
        gid = node.gid if node.mode >> 3 & ~node.mode & USE else NOBODY
        if (uid, gid) != (NOBODY, NOBODY):
            closed.setdefault((uid, gid, above), Closed(path=node.path, uid=uid, gid=gid))
    return Root(owned=tuple(owned.values()), closed=tuple(closed.values()))


def _known(folder: Path) -> Root | None:
    try:
        found = msgspec.json.decode((folder / FACTS).read_bytes(), type=decodable(Root))
        os.utime(folder)
    except (OSError, msgspec.MsgspecError):
        return None
    return replace(found, path=str(folder / "root"))


def _is_point(root: Path, point: str, *, file: bool) -> bool:
    path = root
    for name in point.strip("/").split("/"):
        path /= name
        if path.is_symlink():
            return False
    return path.is_file() if file else path.is_dir()


def _seen(root: Path) -> Iterator[Node]:
    """What was unpacked, as it lies there."""
    for path, folders, files in os.walk(root):
        folders.sort()
        links = [name for name in folders if Path(path, name).is_symlink()]
        for one in (Path(path), *(Path(path, name) for name in (*files, *links))):
            if one != root:
                status = one.lstat()
                inside = f"/{one.relative_to(root)}"
                yield Node(inside, stat.S_ISDIR(status.st_mode), status.st_mode, status.st_uid, status.st_gid)


def _said(layers: tuple[Packed, ...]) -> Iterator[Node]:
    """The same from the layers: what an ordinary user unpacked is all that user's."""
    from wherry.oci.unpack import flatten

    for path, one in sorted(flatten(layers).items(), key=lambda named: named[0].split("/")):
        mode = 0o777 if one.kind == "link" else one.mode
        yield Node(f"/{path}", one.kind == "directory", mode, one.uid, one.gid)


def _clone(source: Path, target: Path, *, link: bool) -> None:
    """Folder by folder, with owners, modes and times; files as hard links or as copies."""

    def copy(here: str, there: str) -> object:
        if link and not os.path.islink(here):  # noqa: PTH114 - shutil hands texts
            os.link(here, there, follow_symlinks=False)
        else:
            shutil.copy2(here, there, follow_symlinks=False)
            _own(here, there)
        return there

    shutil.copytree(source, target, symlinks=True, copy_function=copy)
    for path, _, _ in os.walk(target):
        _own(str(source / Path(path).relative_to(target)), path)


def _move(path: str, id_base: int) -> None:
    status = os.lstat(path)
    if status.st_uid < id_base:
        os.lchown(path, status.st_uid + id_base, status.st_gid + id_base)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(path, stat.S_IMODE(status.st_mode))  # noqa: PTH101 - chown takes setuid bits away


def _own(source: str, target: str) -> None:
    status = os.lstat(source)
    if os.geteuid() == 0:
        os.lchown(target, status.st_uid, status.st_gid)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(target, stat.S_IMODE(status.st_mode))  # noqa: PTH101 - chown takes setuid bits away
