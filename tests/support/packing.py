"""What tests of packing share. Folders and plain bytes in, packers, entries, hand-made archives and packed layers out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from wherry.assemble.pack import Packer
from wherry.kit import snapshot
from wherry.kit.compress import Method, block_size, compressor
from wherry.kit.streams import read_limited
from wherry.model.image import Built, ImageIndex, Layer
from wherry.oci import media, tar
from wherry.oci.descriptor import Descriptor, describe
from wherry.oci.digest import Digest
from wherry.oci.layer import Packed, read
from wherry.oci.tar import Entry
from wherry.oci.untar import Member, members
from wherry.oci.validate import problems

END = bytes(1024)


class Memory:
    """A records port in memory that remembers what was asked."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, key: str, /) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: str, data: bytes, /) -> None:
        self.kept[key] = data


def packer(folder: Path, *, threads: int = 2, records: Memory | None = None) -> Packer:
    """A packer with its folders below `folder`."""
    for name in ("blobs", "scratch"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    kept = Memory() if records is None else records
    return Packer(blobs=folder / "blobs", scratch=folder / "scratch", records=kept, threads=threads)


def directory(path: str, mode: int = 0o755) -> Entry:
    return Entry(path=path, kind="directory", mode=mode)


def file(path: Path, content: bytes = b"x", mode: int = 0o644) -> Path:
    """Writes a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def old(path: Path) -> snapshot.Snapshot:
    """A snapshot of a file as it is now."""
    return snapshot.look(str(path))


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive of `entries` in one piece."""
    layout = tar.layout(entries)
    data = bytearray(layout.size)
    layout.read(0, memoryview(data))
    return bytes(data)


def header(name: bytes, kind: bytes = b"0", size: int | bytes = 0, **fields: bytes) -> bytes:
    """A header block with any bytes in any field; the checksum is right unless given."""
    block = bytearray(512)
    values = {
        "name": (0, name), "mode": (100, b"0000644\0"), "uid": (108, b"0000000\0"), "gid": (116, b"0000000\0"),
        "size": (124, b"%011o\0" % size if isinstance(size, int) else size), "mtime": (136, b"00000000000\0"),
        "type": (156, kind), "target": (157, b""), "magic": (257, b"ustar\x0000"), "prefix": (345, b""),
        "end": (508, b""), "checksum": (148, b""),
    }  # fmt: skip
    for key, (offset, value) in values.items():
        chosen = fields.get(key, value)
        block[offset : offset + len(chosen)] = chosen
    if "checksum" not in fields:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: bytes, content: bytes = b"", kind: bytes = b"0", **fields: bytes) -> bytes:
    """A header with its padded content."""
    return header(name, kind, len(content), **fields) + content + bytes(-len(content) % 512)


def pax(**records: bytes) -> bytes:
    """An extended header of these records."""
    data = b"".join(record(key.replace("__", "."), value) for key, value in records.items())
    return member(b"PaxHeaders/x", data, b"x")


def record(key: str, value: bytes) -> bytes:
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def compressed(data: bytes, method: Method = "gzip") -> bytes:
    """As wherry packs it."""
    step, compress = block_size(method), compressor(method, 0)
    return b"".join(compress(memoryview(data)[at : at + step]) for at in range(0, len(data), step))


def packed(folder: Path, data: bytes, method: Method = "gzip") -> Packed:
    """A layer's blob in `folder` from an archive's bytes."""
    blob = compressed(data, method)
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    path = folder / digest[7:]
    path.write_bytes(blob)
    diff_id = Digest("sha256:" + hashlib.sha256(data).hexdigest())
    return Packed(file=str(path), media_type=media.LAYER["oci", method], digest=Digest(digest), diff_id=diff_id)


def listing(data: bytes) -> list[tuple[Member, bytes]]:
    """All that the strict reader finds in an archive."""
    found = members(io.BytesIO(data), name="test.tar")
    return [(one, read_limited(content, limit=1 << 30, name="content")) for one, content in found]


def content_of(layer: Layer, path: str) -> bytes:
    """A file's bytes in a layer."""
    found = read(Packed(file=layer.file, media_type=layer.media_type))
    return b"".join(read_limited(content, limit=1 << 26, name=path) for one, content in found if one.path == path)


def problems_of(built: Built) -> tuple[str, ...]:
    """What the validator says of an image or index whose layers are files."""
    documents = {
        document.digest: document.data for image in built.images for document in (image.manifest, image.config)
    }
    top = describe(built.images[0].manifest, platform=built.images[0].platform)
    if isinstance(built.content, ImageIndex):
        top = describe(built.content.document)
        documents[built.content.digest] = built.content.document.data
    files = {layer.digest: layer.file for image in built.images for layer in image.layers}

    def open_blob(descriptor: Descriptor) -> BinaryIO:
        if descriptor.digest in documents:
            return io.BytesIO(documents[descriptor.digest])
        return Path(files[descriptor.digest]).open("rb")

    return problems(top, open_blob)
