"""wherry.lock. A folder in, a Lock out, and back; touches that one file.

TOML, so that people and tools can read what changed; sorted and without a time of its own, so that locking the same again
changes nothing. Only wherry writes it: anything it did not write is an error, not a guess.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from wherry.errors import CorruptError, UsageError
from wherry.formats.toml import quoted
from wherry.kit.files import atomic_write, disk_errors, is_beneath
from wherry.kit.value import Value, decodable
from wherry.model.lock import NAME, Lock, LockedBase, LockedPlatform
from wherry.oci import platform
from wherry.oci.digest import Digest
from wherry.plan import check, read

VERSION: Final = 1
LARGEST: Final = 1 << 20
PARTS: Final = ("certifi", "deflate", "go", "tzdata", "zstandard")
HEAD: Final = """\
# What the images of this repository are made from, beside go.sum: bases by digest,
# and the versions of all else that decides their bytes.
# Written by `wherry base lock`; commit it. `wherry build --locked` accepts nothing else.
"""
_PART: Final = re.compile(r"[a-z][a-z0-9-]*")
_CONFLICT: Final = re.compile(r"^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)", re.MULTILINE)


class _Base(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reference: str
    digest: str
    created: str = ""
    files: bool = False
    platforms: dict[str, str] = {}


class _File(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    parts: dict[str, str] = {}
    base: tuple[_Base, ...] = ()


def load(root: Path) -> Lock | None:
    """The lock in `root`; None when there is no such file. UsageError [unsafe-file], and what `parse` raises."""
    path = root / NAME
    if not path.is_symlink() and not path.exists():
        return None
    if not path.is_file() or not is_beneath(path, root):
        raise UsageError(
            "unsafe-file", f"{NAME} is no file of this repository", where=NAME, next="make it a plain file"
        )
    with disk_errors(path), path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise bad(f"it is larger than {LARGEST >> 20} MiB")
    try:
        return parse(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise bad("it is not UTF-8") from error


def parse(text: str) -> Lock:
    """The lock that `text` is. UsageError [lock-conflict] for the marks of an unfinished merge; [toml-syntax], [unknown-key],
    [bad-setting], [bad-lock] for anything else that wherry did not write; [newer-lock]."""
    text = text.replace("\r\n", "\n")
    conflict = _CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        raise UsageError(
            "lock-conflict",
            f"{NAME} holds the marks of an unfinished merge",
            where=f"{NAME}:{line}",
            next="wherry base lock",
        )
    tree = read.parsed(text, NAME)
    _check_version(tree)
    texts = {keys: f"{place}   {line}" for keys, place, line in read.located(text, NAME)}
    read.refuse(check.check(tree, lambda keys: read.nearest(texts, keys, NAME), _structure()))
    file = msgspec.convert(tree, decodable(_File))
    bases = tuple(sorted(map(_base, file.base), key=lambda one: one.reference))
    if len({one.reference for one in bases}) < len(bases):
        raise bad("it locks one base twice")
    for name in file.parts:
        if not _PART.fullmatch(name):
            raise bad(f"{name[:40]!r} is no part")
    return Lock(bases=bases, parts=tuple(sorted(file.parts.items())))


@cache
def _structure() -> inspect.Type:
    return inspect.type_info(_File)


def text_of(lock: Lock) -> str:
    """The file; equal locks give equal bytes."""
    lines = [HEAD, f"version = {VERSION}", "", "[parts]"]
    lines += [f"{name} = {quoted(version)}" for name, version in sorted(lock.parts)]
    for base in sorted(lock.bases, key=lambda one: one.reference):
        lines += ["", "[[base]]", f"reference = {quoted(base.reference)}", f"digest = {quoted(base.digest)}"]
        lines += [f"created = {quoted(base.created)}"] if base.created else []
        lines += ["files = true  # generated files name it"] if base.files else []
        lines += ["", "[base.platforms]"]
        rows = sorted(base.platforms, key=lambda one: one.platform)
        lines += [f"{quoted(one.platform)} = {quoted(one.digest)}" for one in rows]
    return "\n".join(lines) + "\n"


def write(root: Path, lock: Lock) -> bool:
    """Writes the lock to `root`, whole or not at all; False when the file says just that already."""
    path, data = root / NAME, text_of(lock).encode()
    if path.is_symlink():
        raise UsageError("unsafe-file", f"{NAME} is a link", where=NAME, next="make it a plain file")
    with disk_errors(path):
        if path.is_file() and path.read_bytes() == data:
            return False
    atomic_write(path, data)
    return True


def bad(why: str) -> UsageError:
    """The error for a lock that wherry did not write."""
    return UsageError("bad-lock", f"{NAME} is not as wherry writes it: {why}", where=NAME, next="wherry base lock")


def _check_version(tree: dict[str, Any]) -> None:
    """First of all: a newer wherry may write keys that this one does not know."""
    version = tree.get("version")
    if isinstance(version, int) and version > VERSION:
        raise UsageError(
            "newer-lock", f"{NAME} was written by a newer wherry", where=NAME, next="install the wherry that wrote it"
        )
    if version != VERSION:
        raise bad(f"its version is not {VERSION}")


def _base(base: _Base) -> LockedBase:
    if not base.reference or not base.reference.isprintable() or " " in base.reference:
        raise bad(f"{base.reference[:80]!r} is no reference")
    for digest in (base.digest, *base.platforms.values()):
        _check_digest(digest)
    for name in base.platforms:
        _check_platform(name)
    return LockedBase(
        reference=base.reference,
        digest=base.digest,
        created=base.created,
        files=base.files,
        platforms=tuple(LockedPlatform(platform=name, digest=one) for name, one in sorted(base.platforms.items())),
    )


def _check_digest(text: str) -> None:
    try:
        Digest(text)
    except CorruptError as error:
        raise bad(error.message) from error


def _check_platform(text: str) -> None:
    try:
        platform.parse(text)
    except UsageError as error:
        raise bad(error.message) from error
