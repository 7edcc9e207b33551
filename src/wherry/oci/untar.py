"""Tar archives read strictly. A source of bytes in, members in their order out; touches nothing.

What GNU tar, Go and Python would read differently is refused (B09), and so is an archive that ends early or goes on after
its end (B10): whoever lists a layer by this reader has seen all that any engine could unpack. POSIX.1-2017 pax; GNU tar
manual, "Basic Tar Format"; image-spec layer.md for whiteouts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from wherry.errors import CorruptError
from wherry.kit.streams import CHUNK, Readable
from wherry.kit.value import Value
from wherry.oci.tar import BLOCK, WHITEOUT

Kind = Literal["file", "directory", "link", "hardlink", "device", "whiteout", "opaque"]

ENTRIES: Final = 1_000_000
HEADER_BYTES: Final = 1 << 20
"""Most bytes of extended headers before one member (B13)."""

_OPAQUE: Final = ".wh..wh..opq"
_KINDS: Final[dict[bytes, Kind]] = {
    b"0": "file",
    b"\0": "file",
    b"1": "hardlink",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": "directory",
    b"6": "device",
}
_OCTAL: Final = re.compile(rb" *([0-7]*)[ \0]*", re.DOTALL)
_LENGTH: Final = re.compile(rb"[1-9][0-9]{0,7} ")
_LARGEST: Final = 2**63 - 1
#: PAX records that say nothing about where or how large a member is. Times are not kept.
_PASSED_OVER: Final = (
    *(
        "SCHILY.xattr.",
        "SCHILY.acl.",
        "SCHILY.fflags",
        "SCHILY.dev",
        "SCHILY.ino",
        "SCHILY.nlink",
        "LIBARCHIVE.",
        "RHT.",
    ),
    *("atime", "ctime", "mtime", "uname", "gname", "comment", "charset", "hdrcharset"),
)
#: How two families of programs write the extended attribute that gives a program capabilities.
_CAPABILITY: Final = ("SCHILY.xattr.security.capability", "LIBARCHIVE.xattr.security.capability")


class Member(Value, frozen=True, kw_only=True):
    """One thing in an archive. `path` is relative, without slashes at its ends; empty for the root itself."""

    path: str
    kind: Kind
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    """Bytes of content; 0 for all but files."""
    target: str = ""
    """Of a link, as it stands; of a hard link, a path like `path`."""
    capabilities: bool = False
    """It gives capabilities to who starts it (`security.capability`). They are not unpacked."""


class Content:
    """The bytes of the member that was given with it; good until the next member is asked for."""

    def __init__(self, archive: _Archive, size: int) -> None:
        self._archive = archive
        self._left = size

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end; CorruptError [bad-tar] when the archive ends first."""
        data = self._archive.exactly(min(size, self._left, CHUNK))
        self._left -= len(data)
        return data


class _Header(NamedTuple):
    path: bytes
    target: bytes
    type: bytes
    numbers: dict[str, int]
    capabilities: bool = False


def members(source: Readable, *, name: str) -> Iterator[tuple[Member, Content]]:
    """Every member of the archive with its content, to the archive's very end. CorruptError [bad-tar] says where it stops being
    one that all programs read alike; `name` is the archive's in errors."""
    archive = _Archive(source, name)
    count = 0
    while header := _next_header(archive):
        count += 1
        if count > ENTRIES:
            raise archive.bad(f"it has more than {ENTRIES} entries")
        member = _member(archive, header)
        content = Content(archive, member.size)
        yield member, content
        while content.read(CHUNK):
            pass
        archive.exactly(-member.size % BLOCK)
    archive.finish()


class _Archive:
    def __init__(self, source: Readable, name: str) -> None:
        self.source, self.name = source, name
        self.position = 0

    def exactly(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            part = self.source.read(left)
            if not part:
                raise self.bad("it ends too early")
            parts.append(part)
            left -= len(part)
        self.position += size
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        """The second end block, then nothing but zeros."""
        if any(self.exactly(BLOCK)):
            raise self.bad("a block of zeros stands between its entries")
        while data := self.source.read(CHUNK):
            if data.strip(b"\0"):
                raise self.bad("something follows its end")

    def bad(self, why: str) -> CorruptError:
        where = f"{self.name}, byte {self.position}"
        return CorruptError("bad-tar", f"{self.name} is no archive to be trusted: {why}", where=where)


def _next_header(archive: _Archive) -> _Header | None:
    """The next member's header with its extensions applied; None at the first end block."""
    extended: dict[str, bytes] = {}
    budget = HEADER_BYTES
    while True:
        block = archive.exactly(BLOCK)
        if not any(block):
            if extended:
                raise archive.bad("an extended header belongs to no entry")
            return None
        header = _plain_header(archive, block)
        if header.type not in b"xgLK":
            return _applied(archive, header, extended)
        budget -= header.numbers["size"]
        if budget < 0:
            raise archive.bad(f"a header is longer than {HEADER_BYTES} bytes")
        data = archive.exactly(header.numbers["size"])
        archive.exactly(-len(data) % BLOCK)
        _extend(archive, header.type, data, extended)


def _plain_header(archive: _Archive, block: bytes) -> _Header:
    magic = block[257:265]
    if sum(block[:148]) + 256 + sum(block[156:]) != _number(archive, block[148:156]):
        raise archive.bad("a header's checksum is wrong")
    if magic not in (b"ustar\x0000", b"ustar  \0") or block[508:] == b"tar\0":
        raise archive.bad("a header is neither POSIX's nor GNU's")
    path, posix = _text(block[:100]), magic[5] == 0
    if posix and block[345]:
        path = _text(block[345:500]) + b"/" + path
    if not posix and any(block[345:]):
        raise archive.bad("a GNU header uses fields that others read as a name")
    fields = (("mode", 100, 8), ("uid", 108, 8), ("gid", 116, 8), ("size", 124, 12))
    numbers = {key: _number(archive, block[start : start + length]) for key, start, length in fields}
    return _Header(path=path, target=_text(block[157:257]), type=block[156:157], numbers=numbers)


def _number(archive: _Archive, field: bytes) -> int:
    """Octal digits, or GNU's base 256 for what is larger; never negative."""
    value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big") if field[0] & 0x80 else -1
    if value < 0:
        octal = _OCTAL.fullmatch(field)
        value = int(octal[1] or b"0", 8) if octal else -1
    if not 0 <= value <= _LARGEST:
        raise archive.bad("a number in a header is damaged")
    return value


def _extend(archive: _Archive, kind: bytes, data: bytes, extended: dict[str, bytes]) -> None:
    long = {b"K": "linkpath", b"L": "path"}.get(kind)
    for key, value in [(long, data.rstrip(b"\0"))] if long else _records(archive, data):
        if kind == b"x" and key in _CAPABILITY:
            extended["capability"] = b"1"
        if key.startswith(_PASSED_OVER):
            continue
        if kind == b"g" or key not in ("path", "linkpath", "size", "uid", "gid"):
            raise archive.bad(f"programs differ on the extended header {key[:40]!r}")
        if key in extended or b"\0" in value or not value:
            raise archive.bad(f"the extended header {key!r} stands twice, is empty or holds a NUL")
        extended[key] = value


def _records(archive: _Archive, data: bytes) -> list[tuple[str, bytes]]:
    records, position = [], 0
    while position < len(data):
        length = _LENGTH.match(data, position)
        end = position + int(length[0]) if length else 0
        if not length or not length.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise archive.bad("an extended header is malformed")
        key, equals, value = data[length.end() : end - 1].partition(b"=")
        if not equals or not key:
            raise archive.bad("an extended header is malformed")
        records.append((key.decode("utf-8", "replace"), value))
        position = end
    return records


def _applied(archive: _Archive, header: _Header, extended: dict[str, bytes]) -> _Header:
    numbers = dict(header.numbers)
    for key in ("size", "uid", "gid"):
        if key in extended:
            text = extended[key]
            fits = numbers[key] == 0 or numbers[key] == int(text) if text.isdigit() and len(text) < 20 else False
            if not fits or int(text) > _LARGEST:
                raise archive.bad(f"two headers of one entry differ on its {key}")
            numbers[key] = int(text)
    path, target = extended.get("path", header.path), extended.get("linkpath", header.target)
    return _Header(path, target, header.type, numbers, "capability" in extended)


def _member(archive: _Archive, header: _Header) -> Member:
    kind = _KINDS.get(header.type)
    if kind is None:
        raise archive.bad(f"an entry is of the kind {header.type!r}, which programs read differently")
    if (header.numbers["size"] and kind != "file") or (kind == "file" and header.path.endswith(b"/")):
        raise archive.bad("an entry is a file to some programs and none to others")
    path, target = _path(archive, header.path), header.target.decode("utf-8", "surrogateescape")
    if kind == "hardlink":
        target = _path(archive, header.target)
    if (kind in ("link", "hardlink") and not target) or (not path and kind != "directory"):
        raise archive.bad("a link leads nowhere, or the root is no directory")
    kind, path = _whiteout(archive, kind, path, header.numbers["size"])
    return Member(
        path=path,
        kind=kind,
        mode=header.numbers["mode"] & 0o7777,
        uid=header.numbers["uid"],
        gid=header.numbers["gid"],
        size=header.numbers["size"],
        target=target if kind in ("link", "hardlink") else "",
        capabilities=header.capabilities and kind == "file",
    )


def _path(archive: _Archive, raw: bytes) -> str:
    """A relative path made plain; refused when it is absolute or has `..` anywhere, also where that would not climb (B01)."""
    parts = raw.split(b"/")
    if not raw or raw.startswith(b"/") or b".." in parts:
        raise archive.bad(f"the name {raw[:100]!r} is empty, absolute or climbs")
    return b"/".join(part for part in parts if part not in (b"", b".")).decode("utf-8", "surrogateescape")


def _whiteout(archive: _Archive, kind: Kind, path: str, size: int) -> tuple[Kind, str]:
    """The kind and path of a whiteout as what it removes, of anything else as given; refuses the reserved names (B04)."""
    parent, _, base = path.rpartition("/")
    if WHITEOUT not in path or not any(part.startswith(WHITEOUT) for part in path.split("/")):
        return kind, path
    hidden = base.removeprefix(WHITEOUT)
    inside = any(part.startswith(WHITEOUT) for part in parent.split("/"))
    if (
        inside
        or kind != "file"
        or size
        or (base != _OPAQUE and (hidden in ("", ".", "..") or hidden.startswith(WHITEOUT)))
    ):
        raise archive.bad(f"{path[:100]!r} is no proper whiteout")
    if base == _OPAQUE:
        return "opaque", parent
    return "whiteout", f"{parent}/{hidden}" if parent else hidden


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
