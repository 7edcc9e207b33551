"""The image itself, read and not run: every layer's files, what a container shows of them, and what looks like a secret. Reads
layer files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from wherry.flows.looks.scene import Scene
from wherry.flows.subject import Subject
from wherry.formats import leaks
from wherry.kit.files import disk_errors
from wherry.kit.streams import CHUNK, Readable
from wherry.model.contents import Contents, File, Leak
from wherry.oci.layer import read
from wherry.oci.tar import BLOCK
from wherry.oci.unpack import stacked
from wherry.oci.untar import Member

TEXT = 1 << 20
"""Most bytes of a file that is looked at for tokens; private keys are looked for in all of them."""
MOST = 1000
"""Leaks that are kept."""


def contents(scene: Scene) -> dict[str, object]:
    """contents."""
    return {"contents": contents_of(scene.made.subject)}


def contents_of(subject: Subject) -> Contents:
    """An image, or a package's base and programs, read from end to end."""
    layers, found, sizes = [], list[Leak](), list[int]()
    for number, packed in enumerate(subject.layers, 1):
        members = []
        for member, content in read(packed, told=sizes.append):
            members.append(member)
            if member.kind == "file" and member.size and len(found) < MOST:
                found += (Leak(what=what, place=f"/{member.path}", layer=number) for what in _kinds(member, content))
        layers.append(members)
    numbers = {id(member): number for number, members in enumerate(layers, 1) for member in members}
    shown = {path: (member, numbers[id(member)]) for path, member in stacked(layers).items()}
    marked = tuple(replace(one, hidden=not _shows(shown, one)) for one in found)
    files = _with_programs(tuple(_file(*shown[path], shown) for path in sorted(shown)), subject)
    said = tuple(itertools.islice((*marked, *_in_programs(subject), *_in_settings(subject)), MOST))
    whole = all(one.size for one in subject.layers) and not subject.programs
    return Contents(
        layers=() if subject.programs else tuple(str(one.digest or "") for one in subject.layers),
        files=files,
        leaks=said,
        unpacked=sum(sizes) + _of_programs(subject),
        packed=sum(one.size for one in subject.layers) if whole else None,
        environment=tuple(_pair(one) for one in subject.config.env or ()),
    )


def _file(member: Member, layer: int, shown: dict[str, tuple[Member, int]]) -> File:
    """A hard link has the mode and owner of the file that it is another name of."""
    origin, target = member, member.target
    if member.kind == "hardlink":
        origin, target = shown.get(member.target, (member, 0))[0], f"/{member.target}"
    return File(
        path=f"/{member.path}",
        kind=member.kind,
        mode=origin.mode,
        uid=origin.uid,
        gid=origin.gid,
        size=member.size,
        target=target,
        capabilities=origin.capabilities,
        layer=layer,
    )


def _shows(shown: dict[str, tuple[Member, int]], leak: Leak) -> bool:
    entry = shown.get(leak.place.lstrip("/"))
    return entry is not None and entry[1] == leak.layer


def _of_programs(subject: Subject) -> int:
    """What a package's programs add to the tars that hold nothing of them yet."""
    found = 0
    for program in subject.programs:
        with disk_errors(program.file):
            size = Path(program.file).stat().st_size
        found += size + -size % BLOCK
    return found


def _with_programs(files: tuple[File, ...], subject: Subject) -> tuple[File, ...]:
    """A package's programs have their own size in place of the empty files that stand for them."""
    sizes = {}
    for program in subject.programs:
        with disk_errors(program.file):
            sizes[program.path] = Path(program.file).stat().st_size
    return tuple(replace(one, size=sizes.get(one.path, one.size)) for one in files)


def _kinds(member: Member, content: Readable) -> Iterator[str]:
    """What looks like a secret in one file."""
    named = leaks.file_kind(member.path.rpartition("/")[2])
    if named:
        yield named
    if member.size <= TEXT:
        data = b"".join(_chunks(content))
        yield from leaks.in_text(data.decode("utf-8", "replace")) if b"\0" not in data else _keys((data,))
    else:
        yield from _keys(_chunks(content))


def _keys(chunks: Iterable[bytes]) -> Iterator[str]:
    """`a private key`, once, also where it lies across two chunks."""
    before = b""
    for chunk in chunks:
        data = before + chunk
        start = data.find(leaks.ARMOUR)
        while start >= 0:
            if leaks.armoured(data[max(0, start - 40) : start + leaks.WINDOW]):
                yield "a private key"
                return
            start = data.find(leaks.ARMOUR, start + 1)
        before = data[-leaks.WINDOW - 40 :]


def _chunks(content: Readable) -> Iterator[bytes]:
    while chunk := content.read(CHUNK):
        yield chunk


def _in_programs(subject: Subject) -> Iterator[Leak]:
    for program in subject.programs:
        with disk_errors(program.file), Path(program.file).open("rb") as file:
            yield from (Leak(what=what, place=program.path) for what in _keys(_chunks(file)))


def _in_settings(subject: Subject) -> Iterator[Leak]:
    """Variables, labels, arguments and the history of the build."""
    for name, value in map(_pair, subject.config.env or ()):
        what = leaks.assigned(name, value)
        if what:
            yield Leak(what=what, place=f"ENV {name}")
    for name, value in (subject.config.labels or {}).items():
        what = leaks.assigned(name, value)
        if what:
            yield Leak(what=what, place=f"LABEL {name}")
    words = " ".join((*(subject.config.entrypoint or ()), *(subject.config.cmd or ())))
    yield from (Leak(what=what, place="the arguments") for what in leaks.in_words(words))
    for number, line in enumerate(subject.history, 1):
        yield from (Leak(what=what, place=f"history, line {number}") for what in leaks.in_words(line))


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
