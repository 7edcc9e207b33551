"""Whether a program can start on its base. A binary and a Base in, findings out; reads both, the base's layers only for a
program that is linked dynamically.

What the kernel and the loader will ask is asked here, before anything is pushed: is the loader there, is it of the same C library
and architecture, does each library exist, and does it define every symbol version the program was linked against.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from wherry.assemble.below import packed_layers
from wherry.assemble.tree import resolved
from wherry.errors import CorruptError, RefusedError
from wherry.formats import elf
from wherry.formats.elf import Elf
from wherry.kit import jsons
from wherry.kit.files import disk_errors
from wherry.kit.ports import Records
from wherry.kit.streams import read_limited
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.oci.layer import Packed, read
from wherry.oci.tar import Entry
from wherry.oci.unpack import stacked
from wherry.oci.untar import Member

BUILT_IN: Final = ("static", "scratch")
LARGEST: Final = 64 << 20
"""Of a library in a base."""
_LIBC: Final = "libc.so.6"
#: Where loaders look by themselves, in about their order; what lies elsewhere comes after.
_FOLDERS: Final = ("lib64/", "usr/lib64/", "lib/", "usr/lib/", "usr/local/lib/")
#: What a loader's name begins with, and whose it is.
_FAMILIES: Final = (("ld-musl-", "musl"), ("ld-linux", "glibc"), ("ld64.so", "glibc"), ("ld.so", "glibc"))
_ALIKE: Final = {"mips64": "mips", "mips64le": "mips", "mipsle": "mips", "ppc64le": "ppc64"}


class Library(Value, frozen=True, kw_only=True):
    """A library or loader of a base, by the name programs know it by."""

    name: str
    architecture: str = ""
    gives: tuple[str, ...] = ()


class Libraries(Value, frozen=True, kw_only=True):
    """What a base has for one program: all its loaders by path, and what the program asks for as far as it is there."""

    loaders: tuple[str, ...] = ()
    found: tuple[Library, ...] = ()

    def named(self, name: str) -> Library | None:
        """The library, or the loader by its path; None when the base has no such file."""
        return next((one for one in self.found if one.name == name), None)


class _Tree(Value, frozen=True, kw_only=True):
    """All that the base's layers hold together, by path, and the links among them."""

    members: dict[str, Member]
    links: dict[str, Entry]

    def file(self, path: str) -> str:
        """The path of the file that `path` leads to, through links and hard links; empty when there is none."""
        real = resolved(path.lstrip("/"), self.links)
        member = self.members.get(real)
        if member is not None and member.kind == "hardlink":
            real, member = member.target, self.members.get(member.target)
        return real if member is not None and member.kind == "file" else ""

    def library(self, name: str) -> str:
        """Where the library or loader that a program calls `name` lies; empty when it does not."""
        if name.startswith("/"):
            return self.file(name)
        paths = [path for path in self.members if path.rpartition("/")[2] == name]
        return next((file for file in map(self.file, sorted(paths, key=_rank)) if file), "")


def check(binary: Binary, base: Base, own: tuple[str, ...], records: Records) -> None:
    """Returns when the program can start on the base, as far as files tell. `own` are the paths of what the image adds to it.

    RefusedError [base-loader], [base-libc], [base-library], [base-architecture]; CorruptError [bad-elf]."""
    program = _program(binary.file)
    wanted = binary.platform.architecture
    if program.architecture != _ALIKE.get(wanted, wanted):
        raise _other_machine(binary, program)
    if not program.interpreter:
        return
    there = libraries(base, program, records)
    loader = there.named(program.interpreter)
    if loader is None:
        raise _no_loader(binary, program, base, there)
    if loader.architecture not in ("", program.architecture):
        raise _other_base(binary, program, base, loader)
    carried = {path.rpartition("/")[2] for path in own}
    for name in program.needed:
        if name not in carried and there.named(name) is None:
            raise _no_library(binary, base, name)
    for needs in program.wants:
        _check_versions(binary, base, needs, there.named(needs.library))


def libraries(base: Base, program: Elf, records: Records) -> Libraries:
    """What `base` has for `program`. Kept by the digests of the base's layers."""
    asked = tuple(sorted({*program.needed, *(one.library for one in program.wants), program.interpreter}))
    parts = (*(layer.diff_id for layer in base.layers), *asked)
    key = "libraries-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
    data = records.get(key)
    with contextlib.suppress(CorruptError):
        if data is not None:
            return jsons.decode(data, Libraries, name=key)
    found = _read(base, asked)
    records.put(key, msgspec.json.encode(found))
    return found


def _read(base: Base, asked: tuple[str, ...]) -> Libraries:
    """In one pass; in two where a library's name is a link to a file called otherwise."""
    packed = packed_layers(base)
    names = {name.rpartition("/")[2] for name in asked}
    contents: dict[str, bytes] = {}
    members = stacked([*_listed(layer, lambda path: path.rpartition("/")[2] in names, contents)] for layer in packed)
    links = {path: one.target for path, one in members.items() if one.kind == "link"}
    tree = _Tree(members=members, links={path: Entry(path=path, kind="link", target=to) for path, to in links.items()})
    paths = {name: tree.library(name) for name in asked}
    missing = {path for path in paths.values() if path and path not in contents}
    for layer in packed if missing else ():
        for _ in _listed(layer, missing.__contains__, contents):
            pass
    return Libraries(
        loaders=tuple(sorted(f"/{path}" for path in members if _family(path) and tree.file(path))),
        found=tuple(_described(name, contents.get(path, b"")) for name, path in paths.items() if path),
    )


def _listed(layer: Packed, wanted: Callable[[str], bool], contents: dict[str, bytes]) -> Iterator[Member]:
    """The layer's members; the bytes of wanted files go into `contents`, an upper layer's over a lower one's."""
    for member, source in read(layer):
        if member.kind == "file" and member.size <= LARGEST and wanted(member.path):
            contents[member.path] = read_limited(source, limit=LARGEST, name=member.path)
        yield member


def _described(name: str, data: bytes) -> Library:
    """A file that is no ELF file may still be a linker script or a stub: only its name counts."""
    try:
        parsed = elf.parse(data, name=name) if elf.is_elf(data) else None
    except CorruptError:
        parsed = None
    return Library(name=name, architecture=parsed.architecture if parsed else "", gives=parsed.gives if parsed else ())


def _rank(path: str) -> tuple[int, str]:
    return next((number for number, folder in enumerate(_FOLDERS) if path.startswith(folder)), len(_FOLDERS)), path


def _family(path: str) -> str:
    name = path.rpartition("/")[2]
    return next((family for prefix, family in _FAMILIES if name.startswith(prefix) and ".so" in name), "")


def _program(file: str) -> Elf:
    with disk_errors(file), Path(file).open("rb") as opened:
        return elf.parse(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ), name=file)


def _other_machine(binary: Binary, program: Elf) -> RefusedError:
    return RefusedError(
        "base-architecture",
        f"{binary.name} was compiled for {program.architecture}, not for {binary.platform.architecture}",
        where=binary.file,
        why="the C compiler in CC may be for another machine",
        next="set CC to a compiler for that platform",
    )


def _other_base(binary: Binary, program: Elf, base: Base, loader: Library) -> RefusedError:
    return RefusedError(
        "base-architecture",
        f"{binary.name} is for {program.architecture}, and the loader of {_name(base)} for {loader.architecture}",
        where=loader.name,
        why="the base is not for the platform that it says",
        next="use another base",
    )


def _no_loader(binary: Binary, program: Elf, base: Base, there: Libraries) -> RefusedError:
    wanted = _family(program.interpreter)
    others = tuple(path for path in there.loaders if _family(path) not in ("", wanted))
    if others:
        return RefusedError(
            "base-libc",
            f"{binary.name} is linked against {wanted}, and {_name(base)} has {_family(others[0])}",
            where=f"{program.interpreter} is asked for, {others[0]} is there",
            why="the C compiler of this machine links against its own C library",
            next=_ways(base),
        )
    return RefusedError(
        "base-loader",
        f"{binary.name} is linked dynamically, and {_name(base)} has no loader to start it",
        where=f"it asks for {program.interpreter}"
        + (f" and {', '.join(program.needed[:4])}" if program.needed else ""),
        why="a C library is needed at run time, since C code was linked in",
        next=_ways(base),
    )


def _no_library(binary: Binary, base: Base, name: str) -> RefusedError:
    return RefusedError(
        "base-library",
        f"{binary.name} needs {name}, and {_name(base)} does not have it",
        where=name,
        why="the loader would end the program before it begins",
        next=("use a base that has it, or add it as an asset", "--set build.static=true"),
    )


def _check_versions(binary: Binary, base: Base, needs: elf.Needs, library: Library | None) -> None:
    """A library without any versions is taken as it is: musl has none."""
    missing = tuple(one for one in needs.versions if library and library.gives and one not in library.gives)
    if not missing or library is None:
        return
    newest = max(missing, key=_number)
    family = newest.rpartition("_")[0] + "_"
    has = max((one for one in library.gives if one.startswith(family)), key=_number, default=f"no {family}")
    if needs.library == _LIBC:
        raise RefusedError(
            "base-libc",
            f"{binary.name} needs {newest}, and {_name(base)} has only {has}",
            where=needs.library,
            why="the C library of this machine is newer than the base's",
            next=_ways(base),
        )
    raise RefusedError(
        "base-library",
        f"{binary.name} needs {newest} of {needs.library}, and {_name(base)} has another version of it",
        where=needs.library,
        next=_ways(base),
    )


def _ways(base: Base) -> tuple[str, ...]:
    other = "--base debian" if base.name in BUILT_IN else "use a base whose C library is as new as this machine's"
    return ("--set build.static=true", other)


def _name(base: Base) -> str:
    return base.name.removeprefix("docker://")


def _number(version: str) -> tuple[int, ...]:
    """GLIBC_2.34 → (2, 34); words that are no numbers come first."""
    return tuple(int(part) for part in version.rpartition("_")[2].split(".") if part.isdecimal())
