"""What an image's own layers need of the base beneath them. Layers, the image's settings and a new base in, nothing or a reason
out; reads the layers, and the base's only where something asks for it.

A static program in layers of its own needs nothing. What was installed into the old base, what is linked against its libraries, a
script for its shell, a user that only its /etc/passwd knows: those are asked for one by one.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from wherry.assemble.below import packed_layers
from wherry.assemble.linkage import check as check_program
from wherry.assemble.tree import resolved
from wherry.errors import CorruptError, RefusedError
from wherry.formats import elf
from wherry.kit.ports import Records
from wherry.kit.streams import CHUNK
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.model.image import Layer, StoredImage
from wherry.oci.config import RunConfig
from wherry.oci.layer import Packed, read
from wherry.oci.tar import Entry
from wherry.oci.unpack import flatten
from wherry.oci.untar import Content, Member

HEAD: Final = 256
LARGEST_PASSWD: Final = 4 << 20
#: Where package managers write what is installed: a layer with one of these was made for the packages beneath it.
PACKAGES: Final = (
    *("var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed"),
    *("var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/rpmdb.sqlite"),
)


def check(image: StoredImage, own: tuple[Layer, ...], below: RunConfig, base: Base, work: tuple[Path, Records]) -> None:
    """Returns when `own`, the image's layers above its old base with the settings `below`, can stand on `base`, as far as files
    tell. RefusedError [needs-base], and those of `linkage.check`. `work`: a folder for programs, and what is kept of bases."""
    needs = _Needs(image, own, base, work[0])
    for path in needs.files:
        if path in PACKAGES:
            raise _refused(image, base, f"/{path}: packages were installed into the old base")
    for path, file in needs.programs.items():
        binary = Binary(
            import_path="", name=f"/{path}", platform=image.platform, file=str(file), size=file.stat().st_size
        )
        check_program(binary, base, tuple(needs.files), work[1])
    run = image.settings.config or RunConfig()
    if (run.entrypoint, run.cmd) != (below.entrypoint, below.cmd):
        for path in needs.started(run):
            if not needs.has(path):
                raise _refused(image, base, f"it starts {path}, which is neither its own nor the new base's")
    if run.user != below.user and not needs.knows(run.user):
        raise _refused(
            image, base, f"it runs as {run.user!r}, which no /etc/passwd of its own or of the new base names"
        )


class _Needs:
    def __init__(self, image: StoredImage, own: tuple[Layer, ...], base: Base, folder: Path) -> None:
        self.image, self.base, self.folder = image, base, folder
        self.files: dict[str, Member] = {}
        self.programs: dict[str, Path] = {}
        self.heads: dict[str, bytes] = {}
        self.passwd = b""
        for layer in own:
            packed = Packed(file=layer.here(), media_type=layer.media_type, digest=layer.digest, diff_id=layer.diff_id)
            for member, content in read(packed):
                self.take(member, content)

    def take(self, member: Member, content: Content) -> None:
        """Notes one member; a program that asks for a loader is laid down as a file."""
        if member.kind in ("whiteout", "opaque"):
            for path in [path for path in self.files if f"{path}/".startswith(f"{member.path}/")]:
                self.programs.pop(path, None)
                del self.files[path]
            return
        self.files[member.path] = member
        if member.kind != "file":
            return
        head = b"".join(_some(content, HEAD))
        self.heads[member.path] = head
        if member.path == "etc/passwd":
            self.passwd = head + b"".join(_some(content, LARGEST_PASSWD))
        elif elf.is_elf(head) and member.mode & 0o111:
            self.lay(member, head, content)

    def lay(self, member: Member, head: bytes, content: Content) -> None:
        file = self.folder / f"program-{len(self.programs)}-{len(self.files)}"
        with file.open("wb") as target:
            target.write(head)
            while chunk := content.read(CHUNK):
                target.write(chunk)
        self.programs.pop(member.path, None)
        if _asks_for_a_loader(file):
            self.programs[member.path] = file
        else:
            file.unlink()

    def started(self, run: RunConfig) -> Iterator[str]:
        """Absolute paths that starting needs: the program, and the interpreter of a script."""
        program = next(iter((*(run.entrypoint or ()), *(run.cmd or ()))), "")
        if not program.startswith("/"):
            return
        yield program
        head = self.heads.get(program.lstrip("/"), b"")
        if head.startswith(b"#!"):
            words = head[2:].split(b"\n")[0].split()
            yield from (word.decode("utf-8", "replace") for word in words[:1])

    def has(self, path: str) -> bool:
        """Whether the image's own layers or the new base have it, links followed in both together."""
        if path.lstrip("/") in self.files:
            return True
        members = {**self.beneath, **self.files}
        links = {
            name: Entry(path=name, kind="link", target=one.target)
            for name, one in members.items()
            if one.kind == "link"
        }
        return resolved(path.lstrip("/"), links) in members

    def knows(self, user: str) -> bool:
        """Whether a user's name means something; numbers always do."""
        name = user.partition(":")[0]
        if not name or name.isdecimal():
            return True
        lines = (self.passwd or self.base_passwd).decode("utf-8", "replace").splitlines()
        return any(line.partition(":")[0] == name for line in lines)

    @cached_property
    def beneath(self) -> dict[str, Member]:
        return flatten(packed_layers(self.base))

    @cached_property
    def base_passwd(self) -> bytes:
        found = b""
        for packed in packed_layers(self.base):
            for member, content in read(packed):
                if member.path == "etc/passwd" and member.kind == "file":
                    found = b"".join(_some(content, LARGEST_PASSWD))
        return found


def _asks_for_a_loader(file: Path) -> bool:
    with file.open("rb") as opened, contextlib.suppress(CorruptError):
        return bool(elf.parse(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ), name=file.name).interpreter)
    return False


def _some(content: Content, most: int) -> Iterator[bytes]:
    """At most so many bytes."""
    while most and (chunk := content.read(min(most, CHUNK))):
        most -= len(chunk)
        yield chunk


def _refused(image: StoredImage, base: Base, why: str) -> RefusedError:
    return RefusedError(
        "needs-base",
        f"the image for {image.platform} cannot stand on {base.name}",
        where=str(image.digest),
        why=why,
        next="build the image anew on the new base",
    )
