"""Entries in, a packed layer out: both digests, and its blob as a file. Touches the blobs folder and the records port."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import msgspec

from wherry.assemble.squeeze import Press, squeeze
from wherry.errors import CorruptError, UsageError
from wherry.kit import compress, files, jsons
from wherry.kit.ports import Records
from wherry.kit.snapshot import Snapshot
from wherry.kit.value import Value
from wherry.model.image import Layer
from wherry.model.plan import Packing
from wherry.oci import media, tar
from wherry.oci.digest import Digest

COARSE_NS = 2_000_000_000
"""Clocks of other file systems may lag or tick by this much."""


class Packer(Value, frozen=True, kw_only=True):
    """Where layers are made and remembered. `blobs` holds `sha256/<hex>`; `scratch`, a private folder, is on its file system."""

    blobs: Path
    scratch: Path
    records: Records
    threads: int = 2


class Purpose(Value, frozen=True, kw_only=True):
    """What a layer is for: its role (base, assets or app) and its line in the image's history."""

    role: str
    history: str


class _Packed(Value, frozen=True, kw_only=True):
    digest: str
    size: int
    diff_id: str
    unpacked_size: int


def pack(entries: Iterable[tar.Entry], packing: Packing, purpose: Purpose, packer: Packer) -> Layer:
    """The layer of `entries`. Nothing is read when every file is as it was; files that only look new cost one SHA-256.

    BuildError [file-changed] when a source changes meanwhile, [duplicate-path], [bad-path]; UnavailableError [disk].
    """
    media_type = layer_type(packing.format, packing.compression)
    made = tuple(entries)
    press = Press(method=cast("compress.Method", packing.compression), level=packing.level, threads=packer.threads)
    identity = compress.identity(press.method, press.level)
    by_state = _key("state", identity, tar.WRITER, _states(made))
    packed = _remembered(packer, by_state)
    reused = packed is not None
    if packed is None:
        packed, reused, began = _pack(tar.layout(made), press, packer)
        if all(_settled(entry, began) for entry in made):
            packer.records.put(by_state, msgspec.json.encode(packed))
    return Layer(
        media_type=media_type,
        digest=Digest(packed.digest),
        size=packed.size,
        diff_id=Digest(packed.diff_id),
        unpacked_size=packed.unpacked_size,
        file=str(packer.blobs / Digest(packed.digest).path),
        role=purpose.role,
        history=purpose.history,
        reused=reused,
    )


def layer_type(form: str, compression: str) -> str:
    """The media type; UsageError [docker-zstd] for the one pair that has none."""
    try:
        return media.LAYER[form, compression]
    except KeyError as error:
        raise UsageError(
            "docker-zstd",
            f"the {form} format has no layers packed with {compression}",
            next="use the OCI format, or pack with gzip",
        ) from error


def _pack(layout: tar.Layout, press: Press, packer: Packer) -> tuple[_Packed, bool, os.stat_result]:
    """The packed layer, whether it was there already, and the state of a file made before anything was read."""
    identity = compress.identity(press.method, press.level)
    found: list[_Packed] = []

    def known(diff_id: str) -> bool:
        packed = _remembered(packer, _key("content", identity, diff_id))
        found.extend((packed,) if packed else ())
        return bool(found)

    temporary = packer.scratch / f"layer-{secrets.token_hex(8)}.tmp"
    with files.disk_errors(packer.scratch):
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o400)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as out:
                began = os.fstat(descriptor)
                squeezed = squeeze(layout, press, out, known)
                if found:
                    return found[0], True, began
                os.fsync(descriptor)
            packed = _Packed(
                digest=squeezed.digest, size=squeezed.size, diff_id=squeezed.diff_id, unpacked_size=layout.size
            )
            # Before the blob has its name: the record marks it as in use, so that no prune beside us takes it (E07).
            packer.records.put(_key("content", identity, packed.diff_id), msgspec.json.encode(packed))
            _keep(temporary, packer.blobs / Digest(squeezed.digest).path)
        finally:
            temporary.unlink(missing_ok=True)
    return packed, False, began


def _keep(temporary: Path, blob: Path) -> None:
    """Over an equal object too: that mends one damaged on disk (E03, E04)."""
    blob.parent.mkdir(mode=files.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    temporary.replace(blob)
    files.sync_directory(blob.parent)


def _remembered(packer: Packer, key: str) -> _Packed | None:
    data = packer.records.get(key)
    if data is None:
        return None
    try:
        packed = jsons.decode(data, _Packed, name=key)
        blob = packer.blobs / Digest(packed.digest).path
        return packed if blob.stat().st_size == packed.size else None
    except (CorruptError, OSError):
        return None


def _key(*parts: str) -> str:
    return "layer-" + _hash(parts)


def _states(entries: tuple[tar.Entry, ...]) -> str:
    """A hash over all that the entries say, and over the identity and times of the files they name."""
    rows = []
    for entry in sorted(entries, key=lambda entry: entry.path):
        content = entry.content
        if isinstance(content, Snapshot):
            state: tuple[object, ...] = (
                content.device,
                content.inode,
                content.size,
                content.mtime_ns,
                content.ctime_ns,
            )
        else:
            state = (hashlib.sha256(content).hexdigest(),)
        rows.append((entry.path, entry.kind, entry.mode, entry.uid, entry.gid, entry.target, state))
    return _hash(rows)


def _hash(parts: object) -> str:
    """Over all that `parts` say; names that are not UTF-8 have their own bytes."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _settled(entry: tar.Entry, began: os.stat_result) -> bool:
    """True when a later change must show in the file's times: it was made in an earlier tick of the clock than `began`."""
    content = entry.content
    if not isinstance(content, Snapshot):
        return True
    margin = 0 if content.device == began.st_dev else COARSE_NS
    return content.ctime_ns + margin < began.st_ctime_ns
