"""What upper layers must know of a base. A Base in, its directories, links and certificates out; touches its layers.

Reading a large base costs a second, so what was found is kept in the records, by the digests of its layers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from wherry.assemble.static import BUNDLE, directories
from wherry.assemble.tree import resolved
from wherry.errors import CorruptError
from wherry.kit import jsons
from wherry.kit.ports import Records
from wherry.kit.streams import read_limited
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.oci.layer import Packed, read
from wherry.oci.tar import Entry
from wherry.oci.unpack import flatten
from wherry.oci.untar import Member

_LARGEST_BUNDLE: Final = 16 << 20


class _Known(Value, frozen=True, kw_only=True):
    entries: tuple[Entry, ...]


def directories_and_links(base: Base, records: Records) -> tuple[Entry, ...]:
    """Of all layers together; brings the layers here that are not."""
    if base.name == "scratch":
        return ()
    if base.name == "static":
        return directories()
    key = "below-" + hashlib.sha256(" ".join(layer.diff_id for layer in base.layers).encode()).hexdigest()
    data = records.get(key)
    try:
        known = jsons.decode(data, _Known, name=key) if data is not None else None
    except CorruptError:
        known = None
    if known is None:
        known = _Known(entries=tuple(_entries(flatten(packed_layers(base)).values())))
        records.put(key, msgspec.json.encode(known))
    return known.entries


def bundle(base: Base, below: dict[str, Entry]) -> tuple[str, bytes]:
    """Where the base keeps its certificate authorities, and the file there; empty when it has none."""
    path = resolved(BUNDLE, below)
    content = b""
    for packed in packed_layers(base):
        for member, source in read(packed):
            if member.path == path and member.kind == "file" and member.size <= _LARGEST_BUNDLE:
                content = read_limited(source, limit=_LARGEST_BUNDLE, name=path)
    return path, content


def packed_layers(base: Base) -> tuple[Packed, ...]:
    """The base's layers as files, lowest first; brings those here that are not."""
    return tuple(
        Packed(file=layer.here(), media_type=layer.media_type, digest=layer.digest, diff_id=layer.diff_id)
        for layer in base.layers
    )


def _entries(members: Iterable[Member]) -> Iterator[Entry]:
    for member in members:
        if member.kind in ("directory", "link"):
            kind: Literal["directory", "link"] = "link" if member.kind == "link" else "directory"
            yield Entry(
                path=member.path, kind=kind, mode=member.mode, uid=member.uid, gid=member.gid, target=member.target
            )
