"""Unpacked images. Layers in, a folder that containers read out; touches RUN/roots.

A root is named by what it was made of, made aside and renamed when it is whole, and never changed afterwards: containers share it
read-only. One that is written to (`--relax rootfs`) is a copy of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from wherry.kit.files import aside, disk_errors
from wherry.kit.value import Value, decodable
from wherry.model.container import Owned
from wherry.oci.layer import Packed
from wherry.runtime.folders import gate

FORMAT: Final = "1"
FACTS: Final = "facts.json"
#: What is mounted over in every container: a read-only root cannot get it later. Modes as runc 1.1.5 leaves them to the tmpfs.
FOLDERS: Final = (("dev", 0o755), ("etc", 0o755), ("proc", 0o555), ("sys", 0o555), ("tmp", 0o1777), ("run", 0o755))
FILES: Final = ("etc/hostname", "etc/hosts", "etc/resolv.conf")


class Root(Value, frozen=True, kw_only=True):
    """An unpacked image."""

    path: str
    """The folder that is the container's /."""
    owned: tuple[Owned, ...] = ()
    """Folders that belong to some user other than root, the topmost of each."""


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
        owned = tuple(_owned(root)) if os.geteuid() == 0 else _said(layers)
        (made / FACTS).write_bytes(msgspec.json.encode(owned))
        with gate(run):
            if not folder.exists():
                made.rename(folder)
    return _known(folder) or Root(path=str(folder / "root"), owned=owned)


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
    return Root(path=str(folder / "root"), owned=root.owned)


def private(root: Root, folder: Path, id_base: int = 0) -> Root:
    """A copy of its own at `folder`, which may be written to; its owners are moved by `id_base` for a user namespace."""
    with disk_errors(folder):
        _clone(Path(root.path).parent, folder, link=False)
        for path, folders, files in os.walk(folder / "root") if id_base else ():
            for one in (path, *(os.path.join(path, name) for name in (*folders, *files))):  # noqa: PTH118 - many
                _move(one, id_base)
    return Root(path=str(folder / "root"), owned=root.owned)


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


def _known(folder: Path) -> Root | None:
    try:
        owned = msgspec.json.decode((folder / FACTS).read_bytes(), type=decodable(tuple[Owned, ...]))
        os.utime(folder)
    except (OSError, msgspec.MsgspecError):
        return None
    return Root(path=str(folder / "root"), owned=owned)


def _is_point(root: Path, point: str, *, file: bool) -> bool:
    path = root
    for name in point.strip("/").split("/"):
        path /= name
        if path.is_symlink():
            return False
    return path.is_file() if file else path.is_dir()


def _owned(root: Path) -> Iterator[Owned]:
    """Folders of others than root, none below another of them."""
    for path, folders, _ in os.walk(root):
        for name in sorted(folders):
            status = Path(path, name).lstat()
            if status.st_uid and stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_IWUSR:
                folders.remove(name)
                with os.scandir(Path(path, name)) as entries:
                    empty = next(entries, None) is None
                inside = f"/{Path(path, name).relative_to(root)}"
                mode = stat.S_IMODE(status.st_mode)
                yield Owned(path=inside, mode=mode, uid=status.st_uid, gid=status.st_gid, empty=empty)


def _said(layers: tuple[Packed, ...]) -> tuple[Owned, ...]:
    """The same from the layers: what an ordinary user unpacked is all that user's."""
    from wherry.oci.unpack import flatten

    tree = flatten(layers)
    found: list[Owned] = []
    for path in sorted(tree):
        one = tree[path]
        inside = f"/{path}"
        if one.kind != "directory" or not one.uid or not one.mode & stat.S_IWUSR:
            continue
        if not any(inside.startswith(f"{other.path}/") for other in found):
            empty = not any(name.startswith(f"{path}/") for name in tree)
            found.append(Owned(path=inside, mode=stat.S_IMODE(one.mode), uid=one.uid, gid=one.gid, empty=empty))
    return tuple(found)


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
