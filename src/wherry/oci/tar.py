"""Layers as tar archives that depend on nothing but their entries (image-spec layer.md; POSIX.1-2017 pax, "ustar Interchange
Format"). Entries in, a layout of bytes out; touches nothing until its bytes are read.

Names without owners, one time for all, sorted, parents first: no umask, locale, clock or directory order can show.
The layout knows where each byte stands before any file is opened, so several threads can read different parts at once.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterable
from typing import Final, Literal

from wherry.errors import BuildError
from wherry.kit import snapshot
from wherry.kit.snapshot import Snapshot
from wherry.kit.value import Value

BLOCK: Final = 512
WHITEOUT: Final = ".wh."
#: Changes with any change of the bytes written for equal entries; part of cache keys that do not see those bytes.
WRITER: Final = "1"

_HEADER: Final = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")
_TYPE: Final = {"file": b"0", "link": b"2", "directory": b"5"}
_LARGEST_ID: Final = 0o7777777
_LARGEST_SIZE: Final = 0o77777777777


class Entry(Value, frozen=True, kw_only=True):
    """One file, directory or symbolic link of a layer. `path` is relative to the image's root, without a slash at either end."""

    path: str
    kind: Literal["file", "directory", "link"] = "file"
    mode: int = 0o444
    uid: int = 0
    gid: int = 0
    content: bytes | Snapshot = b""
    """Of a file: its bytes, or the file to read them from."""
    target: str = ""
    """Of a link."""

    @property
    def size(self) -> int:
        return self.content.size if isinstance(self.content, Snapshot) else len(self.content)


class Layout:
    """Where each byte of an archive comes from. `size` is the archive's length in bytes."""

    def __init__(self, parts: Iterable[bytes | Snapshot]) -> None:
        self._starts: list[int] = []
        self._parts: list[bytes | Snapshot] = []
        self.size = 0
        for part in parts:
            self._starts.append(self.size)
            self._parts.append(part)
            self.size += part.size if isinstance(part, Snapshot) else len(part)

    def read(self, offset: int, buffer: memoryview) -> None:
        """Fills `buffer` from `offset` on; both must lie inside. Safe from several threads. BuildError [file-changed]."""
        index = bisect.bisect_right(self._starts, offset) - 1
        filled = 0
        while filled < len(buffer):
            part, inner = self._parts[index], offset + filled - self._starts[index]
            size = part.size if isinstance(part, Snapshot) else len(part)
            wanted = buffer[filled : filled + size - inner]
            if isinstance(part, Snapshot):
                snapshot.read_at(part, inner, wanted)
            else:
                wanted[:] = part[inner : inner + len(wanted)]
            filled += len(wanted)
            index += 1


def layout(entries: Iterable[Entry], *, mtime: int = 0) -> Layout:
    """The archive of `entries`, sorted; BuildError [duplicate-path] or [bad-path] for what must not be in a layer (B01, B11).

    Every parent but the root must be an entry itself: unpackers disagree on the mode of those that are missing.
    """
    ordered = sorted(entries, key=lambda entry: entry.path)
    seen: dict[str, Entry] = {}
    for entry in ordered:
        _check(entry, seen)
        seen[entry.path] = entry
    return Layout(_parts(ordered, mtime))


def duplicate(path: str) -> BuildError:
    """The error for two things in one place."""
    return BuildError(
        "duplicate-path",
        f"two things would become /{path} in the image",
        where="/" + path,
        next="give one of them another name or folder",
    )


def _parts(entries: list[Entry], mtime: int) -> Iterable[bytes | Snapshot]:
    pending = bytearray()
    for entry in entries:
        pending += headers(entry, mtime)
        if isinstance(entry.content, Snapshot):
            if entry.size:
                yield bytes(pending)
                yield entry.content
                pending = bytearray()
        else:
            pending += entry.content
        pending += bytes(-entry.size % BLOCK)
    yield bytes(pending) + bytes(2 * BLOCK)


def _check(entry: Entry, seen: dict[str, Entry]) -> None:
    parts = entry.path.split("/")
    if any(part in ("", ".", "..") or part.startswith(WHITEOUT) for part in parts) or "\0" in entry.path + entry.target:
        raise BuildError("bad-path", f"{entry.path!r} cannot be a path in an image", where=entry.path, next="rename it")
    try:
        (entry.path + entry.target).encode()
    except UnicodeEncodeError as error:
        raise BuildError("bad-path", f"{entry.path!r} is not UTF-8", where=entry.path, next="rename it") from error
    if entry.path in seen:
        raise duplicate(entry.path)
    parent = seen.get("/".join(parts[:-1]))
    if len(parts) > 1 and (parent is None or parent.kind != "directory"):
        raise BuildError(
            "bad-path",
            f"/{entry.path} lies in something that is no directory",
            where="/" + entry.path,
            next="put it into a directory",
        )


def headers(entry: Entry, mtime: int) -> bytes:
    """The entry's header, after a PAX extended header for what USTAR cannot hold."""
    name = entry.path.encode() + (b"/" if entry.kind == "directory" else b"")
    records: list[tuple[str, bytes]] = []
    prefix, short = _split(name)
    if not short or not name.isascii():
        records.append(("path", name))
        prefix, short = b"", _ascii(name)
    target = entry.target.encode()
    if len(target) > 100 or not target.isascii():
        records.append(("linkpath", target))
        target = _ascii(target)
    numbers = {"gid": entry.gid, "size": entry.size, "uid": entry.uid}
    for key, largest in (("gid", _LARGEST_ID), ("size", _LARGEST_SIZE), ("uid", _LARGEST_ID)):
        if numbers[key] > largest:
            records.append((key, b"%d" % numbers[key]))
            numbers[key] = 0
    extended = b""
    if records:
        data = b"".join(_record(key, value) for key, value in sorted(records))
        extended = _header(b"PaxHeaders.0/" + short[:80], "x", (0o644, 0, 0, len(data), mtime))
        extended += data + bytes(-len(data) % BLOCK)
    fields = (entry.mode, numbers["uid"], numbers["gid"], numbers["size"], mtime)
    return extended + _header(short, entry.kind, fields, target, prefix)


def _header(
    name: bytes, kind: str, fields: tuple[int, int, int, int, int], target: bytes = b"", prefix: bytes = b""
) -> bytes:
    mode, uid, gid, size, mtime = fields
    octal = (b"%07o\0" % mode, b"%07o\0" % uid, b"%07o\0" % gid, b"%011o\0" % size, b"%011o\0" % mtime)
    values = [
        name,
        *octal,
        b" " * 8,
        _TYPE.get(kind, b"x"),
        target,
        b"ustar\0",
        b"00",
        b"",
        b"",
        b"%07o\0" % 0,
        b"%07o\0" % 0,
        prefix,
    ]
    values[6] = b"%06o\0 " % sum(_HEADER.pack(*values))
    return _HEADER.pack(*values)


def _split(name: bytes) -> tuple[bytes, bytes]:
    """USTAR's prefix and name, which a slash joins; empty when they do not fit."""
    if len(name) <= 100:
        return b"", name
    cut = name.rfind(b"/", 0, min(156, len(name) - 1))
    return (name[:cut], name[cut + 1 :]) if cut > 0 and 0 < len(name) - cut - 1 <= 100 else (b"", b"")


def _ascii(name: bytes) -> bytes:
    return name.decode().encode("ascii", "replace")[:100]


def _record(key: str, value: bytes) -> bytes:
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return b"%d" % length + rest
