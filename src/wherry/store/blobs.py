"""The `blobs/` of a layout: put, check, read. Files and bytes in, files named by their digest out; touches that folder.

A name alone is never believed (E01): a blob that is there already is hashed before it is used again, and replaced when wrong.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from wherry.errors import CorruptError
from wherry.kit import parallel
from wherry.kit.files import TEMPORARY, aside, atomic_write, atomic_writer, disk_errors, sync_directory
from wherry.kit.streams import CHUNK, verified_chunks
from wherry.model.finding import Finding
from wherry.model.image import Built, Image, Layer
from wherry.oci.descriptor import Descriptor, Document
from wherry.oci.digest import Digest
from wherry.store import layers
from wherry.store.content import Content, Open

AT_ONCE = 4
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS)
_NO_KERNEL_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)


class Blobs:
    """One `blobs/` folder. `shared`: hard links to the layers' files are allowed, and everything is synced to disk."""

    def __init__(self, layout: Path, *, shared: bool) -> None:
        self.layout, self.shared = layout, shared
        self.written = 0
        self.findings: list[Finding] = []
        self._touched: set[Path] = set()

    def path(self, digest: Digest) -> Path:
        return self.layout / "blobs" / digest.path

    def add(self, built: Built) -> None:
        """Every blob of `built`: layers, configs, manifests, and the index if there is one."""
        documents = [document for image in built.images for document in (image.config, image.manifest)]
        if not isinstance(built.content, Image):
            documents.append(built.content.document)
        with self.writing():
            for layer in dict.fromkeys(layer for image in built.images for layer in image.layers):
                self._add_layer(layer)
            for document in dict.fromkeys(documents):
                self._add_document(document)
        if self.shared:
            for folder in self._touched:
                sync_directory(folder)

    def put(self, content: Content) -> None:
        """Every blob and document of `content` that is not here yet, within `writing`; what is here already stays when this ends
        early."""
        self.written += sum(
            parallel.each(lambda blob: self._put(blob.descriptor, content.open), content.blobs, at_once=AT_ONCE)
        )
        for document in (*content.configs, *content.manifests):
            self._add_document(document)
        if self.shared:
            for folder in self._touched:
                sync_directory(folder)

    def any_whole(self) -> bool:
        """Whether there is a blob that another run need not bring."""
        return any(not path.name.endswith(TEMPORARY) for path in (self.layout / "blobs").glob("*/*"))

    def missing(self, content: Content) -> bool:
        """Whether any of `content` is not here; by names alone, just after `put` has looked at the bytes."""
        digests = [blob.digest for blob in content.blobs]
        digests += [document.digest for document in (*content.configs, *content.manifests)]
        return not all(self.path(digest).is_file() for digest in digests)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[], bool]]:
        """While somebody writes blobs, others may; whoever is alone first takes away what killed runs left half-written. Begun
        under the layout's lock; gives what says whether nobody else writes, and keeps all others out from then on."""
        folder = self.layout / "blobs"
        with disk_errors(folder):
            folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

        def alone() -> bool:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # not alone, or a file system without locks
                return False
            return True

        try:
            if alone():
                for path in folder.glob(f"*/.*{TEMPORARY}"):
                    with contextlib.suppress(OSError):
                        path.unlink()
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield alone
        finally:
            os.close(descriptor)

    def _put(self, descriptor: Descriptor, opened: Open) -> int:
        target = self._target(descriptor.digest)
        if self._has(descriptor.digest, descriptor.size):
            return 0
        with atomic_writer(target, durable=self.shared) as file:
            for chunk in opened(descriptor):
                file.write(chunk)
        return descriptor.size

    def _add_layer(self, layer: Layer) -> None:
        target = self._target(layer.digest)
        if self._has(layer.digest, layer.size):
            return
        with layers.checked(layer) as source, disk_errors(target):
            self._place(source, target)
        self.written += layer.size

    def _add_document(self, document: Document) -> None:
        target = self._target(document.digest)
        if not self._has(document.digest, document.size):
            atomic_write(target, document.data, durable=False)
            if self.shared:
                _sync_file(target)
            self.written += document.size

    def _target(self, digest: Digest) -> Path:
        target = self.path(digest)
        with disk_errors(target):
            target.parent.mkdir(exist_ok=True)  # not `blobs`, which a run that failed may just have taken away
        self._touched.add(target.parent)
        return target

    def _place(self, source: BinaryIO, target: Path) -> None:
        with aside(target) as temporary:  # still there after a rename of two links to one file, which does nothing
            if not (self.shared and _linked(source, temporary)):
                _copy(source, temporary)
            if self.shared:
                _sync_file(temporary)
            temporary.replace(target)

    def _has(self, digest: Digest, size: int) -> bool:
        """True when the blob is there and is what its name says; a wrong one is told of, and will be replaced."""
        path = self.path(digest)
        if not path.exists():
            return False
        descriptor = Descriptor(media_type="", digest=digest, size=size)
        try:
            for _ in self.read(descriptor):
                pass
        except CorruptError as error:
            self.findings.append(
                Finding(name="damaged-blob", message=f"{error.message}; it was written again", subject=str(path))
            )
            with contextlib.suppress(OSError):
                path.rmdir()  # a folder in its place would stop the rename
            return False
        return True

    def read(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The blob in verified chunks; CorruptError [missing-blob] and those of `verified_chunks`."""
        path = self.path(descriptor.digest)
        with disk_errors(path), open_blob(path, str(descriptor.digest)) as file:
            if descriptor.digest.algorithm == "sha256":
                yield from verified_chunks(
                    file, sha256=descriptor.digest.hex, size=descriptor.size, name=str(descriptor.digest)
                )
            else:
                raise CorruptError(
                    "bad-digest", f"{descriptor.digest.algorithm} is not read by wherry", where=str(path)
                )

    def fetch(self, descriptor: Descriptor) -> bytes:
        """A small blob whole."""
        return b"".join(self.read(descriptor))


@contextlib.contextmanager
def open_blob(path: Path, name: str) -> Iterator[BinaryIO]:
    """`path` opened for reading, and certainly a regular file: a FIFO or device in a foreign layout would hang us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CorruptError("missing-blob", f"{name} is named but not there", where=str(path)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CorruptError("missing-blob", f"{name} is no regular file", where=str(path))
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _linked(source: BinaryIO, temporary: Path) -> bool:
    """Tries a hard link to the very file that was checked; False where the file system has none or will not."""
    try:
        # the descriptor makes Python call linkat, which alone can follow this link to the open file
        os.link(f"/proc/self/fd/{source.fileno()}", temporary, src_dir_fd=source.fileno(), follow_symlinks=True)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _copy(source: BinaryIO, temporary: Path) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(temporary, flags, 0o600), "wb") as target:
        _copy_bytes(source, target)
        os.fchmod(target.fileno(), 0o644)


def _copy_bytes(source: BinaryIO, target: BinaryIO) -> None:
    """Inside the kernel where it can: a reflink on btrfs and XFS, no copy through user space elsewhere."""
    remaining = os.fstat(source.fileno()).st_size
    try:
        while remaining and (count := os.copy_file_range(source.fileno(), target.fileno(), remaining)):
            remaining -= count
    except OSError as error:
        if error.errno not in _NO_KERNEL_COPY:
            raise
    while chunk := os.read(source.fileno(), CHUNK):  # the rest, or all of it
        target.write(chunk)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
