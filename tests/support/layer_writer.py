"""A layer as it is written: folders, files, links, whole trees and Debian packages in, one gzip blob out; writes that blob.

Streams, so that a toolchain and a compiler need no memory. /bin, /sbin, /lib and /lib64 are links into /usr, as Debian has them.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile  # noqa: TID251 - not wherry's own: bases must not depend on what is tested with them
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wherry.kit.compress import MEBIBYTE, compressor

MERGED = ("bin", "sbin", "lib", "lib64")
#: What no test looks at, and most of a package's files.
UNREAD = tuple(
    f"usr/share/{name}/"
    for name in ("doc", "doc-base", "man", "info", "locale", "lintian", "bash-completion", "perl", "i18n")
)
Skip = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A finished layer."""

    digest: str
    size: int
    diff_id: str


class LayerWriter:
    """Writes one layer into the folder `blobs`."""

    def __init__(self, blobs: Path) -> None:
        self._sink = _Sink(blobs)
        self._tar = tarfile.open(fileobj=self._sink, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._seen: set[str] = set()

    def folder(self, path: str, mode: int = 0o755, owner: tuple[int, int] = (0, 0)) -> None:
        self._add(_entry(path, tarfile.DIRTYPE, mode, owner))

    def file(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        body = data.encode() if isinstance(data, str) else data
        member = _entry(path, tarfile.REGTYPE, mode)
        member.size = len(body)
        self._add(member, io.BytesIO(body))

    def link(self, path: str, target: str) -> None:
        member = _entry(path, tarfile.SYMTYPE, 0o777)
        member.linkname = target
        self._add(member)

    def tree(self, source: Path, under: str, skip: Skip = lambda _: False) -> None:
        """The folder `source` as `under`, all of it root's; `skip` sees paths below `source`."""
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if skip(name):
                continue
            if path.is_symlink():
                self.link(f"{under}/{name}", str(path.readlink()))
            elif path.is_dir():
                self.folder(f"{under}/{name}")
            else:
                self.file(f"{under}/{name}", path.read_bytes(), path.stat().st_mode & 0o777)

    def packages(self, archives: Iterable[Path], skip: Skip = lambda _: False) -> None:
        """The files of .deb archives; none of their scripts is run."""
        for archive in archives:
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as process:
                assert process.stdout
                with tarfile.open(fileobj=process.stdout, mode="r|") as members:
                    for member in members:
                        member.name = merged(member.name)
                        if not (member.name.startswith(UNREAD) or skip(member.name)):
                            member.linkname = merged(member.linkname) if member.islnk() else member.linkname
                            self._add(member, members.extractfile(member) if member.isreg() else None)
            assert process.returncode == 0, archive

    def finish(self) -> Blob:
        self._tar.close()
        return self._sink.finish()

    def _add(self, member: tarfile.TarInfo, data: IO[bytes] | None = None) -> None:
        member.name = member.name.strip("/")
        again = member.name in self._seen and (member.isdir() or member.name in MERGED)
        if member.name in ("", ".") or again:
            return
        assert member.name not in self._seen, f"{member.name} comes twice"
        self._seen.add(member.name)
        member.uname = member.gname = ""
        self._tar.addfile(member, data)


def merged(name: str) -> str:
    """Where a merged /usr has the path."""
    name = name.removeprefix("./").rstrip("/")
    return f"usr/{name}" if name.partition("/")[0] in MERGED and "/" in name else name


def _entry(path: str, kind: bytes, mode: int, owner: tuple[int, int] = (0, 0)) -> tarfile.TarInfo:
    member = tarfile.TarInfo(merged(path))
    member.type, member.mode, (member.uid, member.gid) = kind, mode, owner
    return member


class _Sink(io.RawIOBase):
    """Takes a tar, keeps it as a gzip blob named by its digest; compresses on two threads."""

    def __init__(self, blobs: Path) -> None:
        self._blobs = blobs
        self._file = tempfile.NamedTemporaryFile(dir=blobs, delete=False)  # noqa: SIM115 - renamed by finish
        self._press = compressor("gzip", 1)
        self._pool = ThreadPoolExecutor(2)
        self._waiting: list[Future[bytes | bytearray]] = []
        self._block = bytearray()
        self._unpacked, self._packed = hashlib.sha256(), hashlib.sha256()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._unpacked.update(data)
        self._block += data
        while len(self._block) >= MEBIBYTE:
            self._send(bytes(self._block[:MEBIBYTE]))
            del self._block[:MEBIBYTE]
        return len(data)

    def finish(self) -> Blob:
        self._send(bytes(self._block))
        self._drain(0)
        self._pool.shutdown()
        self._file.close()
        digest = f"sha256:{self._packed.hexdigest()}"
        path = Path(self._file.name)
        size = path.stat().st_size
        path.rename(self._blobs / self._packed.hexdigest())
        return Blob(digest=digest, size=size, diff_id=f"sha256:{self._unpacked.hexdigest()}")

    def _send(self, block: bytes) -> None:
        self._waiting.append(self._pool.submit(self._press, memoryview(block)))
        self._drain(8)

    def _drain(self, most: int) -> None:
        while len(self._waiting) > most:
            packed = self._waiting.pop(0).result()
            self._packed.update(packed)
            self._file.write(packed)
