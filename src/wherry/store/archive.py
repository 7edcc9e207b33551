"""An open tar that holds an image. A file in, what lies in it and its blobs out; touches that file.

The archive's own structure is read to its very end before anything in it is believed (B10); bytes are then read where they lie.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from wherry.errors import CorruptError, UsageError
from wherry.kit.files import atomic_writer, disk_errors
from wherry.kit.streams import read_limited, verified_chunks
from wherry.kit.value import Value
from wherry.oci import untar
from wherry.oci.descriptor import Descriptor
from wherry.oci.tar import BLOCK
from wherry.store import entries, layout
from wherry.store.blobs import open_blob

MOST = 100_000
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")


class Member(Value, frozen=True, kw_only=True):
    """A file of the archive at `offset`, or a link to another member."""

    offset: int = 0
    size: int = 0
    link: str = ""


class Archive:
    """What lies in a tar, and its blobs if it holds a layout. Good while its file is open."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.members = _members(file, name)

    @property
    def is_layout(self) -> bool:
        return layout.MARKER in self.members and "index.json" in self.members

    def entries(self) -> entries.Entries:
        """Its index.json; CorruptError [not-an-archive] when it holds no layout."""
        if not self.is_layout:
            raise CorruptError("not-an-archive", f"{self.name} holds no OCI layout", where=self.name)
        layout.check_version(self.small(layout.MARKER, 4096), self.name)
        return entries.parse(self.small("index.json", entries.LARGEST), name=f"{self.name}:index.json")

    def section(self, path: str) -> Section:
        """The file at `path`, through at most four links inside the archive; CorruptError [missing-blob]."""
        at = posixpath.normpath(path)
        for _ in range(5):
            member = self.members.get(at)
            if member is None or not member.link:
                break
            at = member.link
        else:
            member = None
        if member is None:
            raise CorruptError("missing-blob", f"{path} is named but not in {self.name}", where=self.name)
        return Section(self.file, member)

    def small(self, path: str, limit: int) -> bytes:
        """A small file whole."""
        return read_limited(self.section(path), limit=limit, name=f"{self.name}:{path}")

    def read(self, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob of the layout in verified chunks."""
        section = self.section(f"blobs/{descriptor.digest.path}")
        name = f"{self.name}:{descriptor.digest}"
        return verified_chunks(section, sha256=descriptor.digest.hex, size=descriptor.size, name=name)

    def fetch(self, descriptor: Descriptor) -> bytes:
        """A small blob of the layout whole."""
        return b"".join(self.read(descriptor))


class Section:
    """The bytes of one member, readable as a file of its own."""

    def __init__(self, file: BinaryIO, member: Member) -> None:
        self.file, self.at, self.left, self.size = file, member.offset, member.size, member.size

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        self.file.seek(self.at)
        data = self.file.read(min(size, self.left))
        self.at += len(data)
        self.left -= len(data)
        return data


@contextlib.contextmanager
def opened(path: str) -> Iterator[Archive]:
    """The archive at `path`; UsageError [no-such-image] when there is none."""
    if not Path(path).exists():
        raise UsageError("no-such-image", f"there is no file {path}", where=path)
    with disk_errors(path), open_blob(Path(path), path) as file:
        if file.read(4).startswith(_COMPRESSED):
            raise UsageError("not-an-archive", f"{path} is compressed", where=path, next="decompress it first")
        yield Archive(file, path)


def write(path: Path, chunks: Iterable[bytes]) -> int:
    """Puts an archive at `path` whole, or not at all; bytes written. UsageError [not-an-archive] when anything but an archive is
    there: an archive is replaced, nobody's work is."""
    if path.exists() and not path.is_file():
        raise UsageError("not-an-archive", "there is a folder or device, no file", where=str(path), next="name a file")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_other(path)
    written = 0
    with atomic_writer(path) as file:
        for chunk in chunks:
            written += file.write(chunk)
    return written


def _refuse_other(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        head = file.read(BLOCK)
    if head and not head.startswith(_COMPRESSED) and head[257:262] != b"ustar" and head.strip(b"\0"):
        raise UsageError(
            "not-an-archive",
            "the file that is there is no archive",
            where=str(path),
            next="name another file, or move it",
        )


def _members(file: BinaryIO, name: str) -> dict[str, Member]:
    file.seek(0)
    found: dict[str, Member] = {}
    for member, _ in untar.members(file, name=name):
        # the reader asks for a header's bytes exactly, so the file stands where the content begins
        if member.path in found or len(found) > MOST:
            raise CorruptError("not-an-archive", f"{name} has {member.path!r} twice, or too many files", where=name)
        match member.kind:
            case "file":
                found[member.path] = Member(offset=file.tell(), size=member.size)
            case "hardlink":
                found[member.path] = Member(link=member.target)
            case "link":
                folder = posixpath.dirname(member.path)
                found[member.path] = Member(link=posixpath.normpath(posixpath.join(folder, member.target)))
            case _:
                continue
    return found
