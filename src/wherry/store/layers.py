"""Reading the blobs of layers that are to be stored. A Layer in, its bytes out, checked; reads its file.

A layer just made is as long as it should be, or something is wrong. One that lay in a cache is hashed as well,
since a crash may have torn it (E01); a torn one is deleted, so that the same command makes it anew.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from wherry.errors import CorruptError
from wherry.kit import decompress
from wherry.kit.files import disk_errors
from wherry.kit.streams import CHUNK, verified_chunks
from wherry.model.image import Layer
from wherry.oci import media


@contextlib.contextmanager
def checked(layer: Layer) -> Iterator[BinaryIO]:
    """The layer's file at its start, all checks done; CorruptError [damaged-layer]."""
    with disk_errors(layer.file), Path(layer.here()).open("rb") as source:
        if source.seek(0, 2) != layer.size:
            raise damaged(layer, f"it is {source.tell()} bytes long, not {layer.size}")
        source.seek(0)
        if layer.reused and hashlib.file_digest(source, "sha256").hexdigest() != layer.digest.hex:
            raise damaged(layer, "it has another digest")
        source.seek(0)
        yield source


def chunks(layer: Layer) -> Iterator[bytes]:
    """The layer's bytes, in one pass; CorruptError [damaged-layer] before the last of them else."""
    with disk_errors(layer.file), Path(layer.here()).open("rb") as source:
        if source.seek(0, 2) != layer.size:
            raise damaged(layer, f"it is {source.tell()} bytes long, not {layer.size}")
        source.seek(0)
        if not layer.reused:
            yield from iter(lambda: source.read(CHUNK), b"")
            return
        try:
            yield from verified_chunks(source, sha256=layer.digest.hex, size=layer.size, name=layer.file)
        except CorruptError as error:
            raise damaged(layer, "it has another digest") from error


def unpacked(layer: Layer) -> Iterator[bytes]:
    """The layer's tar, checked against its diff id."""
    with disk_errors(layer.file), Path(layer.here()).open("rb") as source:
        plain = decompress.opened(source, media.compression(layer.media_type), name=layer.file)
        yield from verified_chunks(plain, sha256=layer.diff_id.hex, size=layer.unpacked_size, name=layer.file)


def damaged(layer: Layer, why: str) -> CorruptError:
    """The error for a layer's file that is not what it should be; takes it away where it lay in a cache."""
    if layer.reused:
        Path(layer.file).unlink(missing_ok=True)
    return CorruptError(
        "damaged-layer",
        f"the {layer.role or 'packed'} layer is damaged: {why}",
        where=layer.file,
        next="run the same command again; what is damaged is made anew",
    )
