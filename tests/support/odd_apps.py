"""Images with a fault that no `wherry build` would make, by hand. A name in, a place out; writes layouts in the session's folder.

Each stands on the image of `good` or `hello` and is like it but for its one fault: a layer more, or another line of its config.
"""

from __future__ import annotations

import base64
import functools
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.support import apps
from tests.support.packing import archive, content_of, directory, member, packed, pax
from tests.support.ports import HOST, ports
from tests.support.programs_in_c import of_this_machine
from wherry.model.image import Built, Image, ImageIndex, Layer
from wherry.oci import media
from wherry.oci.config import Config, History, RootFS, RunConfig
from wherry.oci.descriptor import Descriptor, Document, decode, describe, encode
from wherry.oci.manifest import Index, Manifest
from wherry.oci.platform import Platform
from wherry.oci.tar import Entry
from wherry.store import place as places
from wherry.store.places import at

ARM64, X86_64 = 183, 62
#: In Go's first code for a GOAMD64 above v1: cpuid 0x80000000; cmp eax, 0x80000001; jl bad_cpu.
ASKS_LEAF = bytes.fromhex("b800000080 0fa2 3d01000080 7c")
#: The same for a leaf that no processor has, so that each one takes itself for too old.
ASKS_TOO_MUCH = bytes.fromhex("b800000080 0fa2 3dffff0080 7c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is otherwise than in the image that it stands on."""

    base: str = "good"
    archives: tuple[bytes, ...] = ()
    """Layers to lay on top, as tars."""
    config: dict[str, Any] = field(default_factory=dict)
    """Fields of the RunConfig."""
    platform: Platform | None = None
    both: bool = False
    """An index: the image that it stands on, and the changed one."""


def place(name: str) -> str:
    """The place of the image `name` of FAULTS."""
    return _placed(name)


@functools.cache
def _placed(name: str) -> str:
    folder = apps.session_folder() / f"odd-{name}"
    (folder / "layers").mkdir(parents=True)
    fault = FAULTS[name]()
    base = apps.made(fault.base).image
    image = changed(base, fault, folder / "layers")
    where = f"oci:{folder}/layout:{name}"
    content = index(base, image) if fault.both else image
    at(places.parse(where), ports(folder)).publish(Built(name=name, version="1.2.3", content=content))
    return where


def index(*images: Image) -> ImageIndex:
    """All of them, each for its platform."""
    rows = tuple(describe(one.manifest, platform=one.platform) for one in images)
    document = Index(schema_version=2, media_type=media.OCI_INDEX, manifests=rows)
    return ImageIndex(document=Document(media_type=media.OCI_INDEX, data=encode(document)), images=images)


def changed(image: Image, fault: Fault, folder: Path) -> Image:
    """`image` with the fault in it; layers become files in `folder`."""
    added = tuple(_layer(folder, data) for data in fault.archives)
    layers = (*image.layers, *added)
    old = decode(image.config.data, Config, name="config")
    run = msgspec.structs.replace(old.config or RunConfig(), **fault.config)
    platform = fault.platform or image.platform
    settings = msgspec.structs.replace(
        old,
        architecture=platform.architecture,
        variant=platform.variant,
        config=run,
        rootfs=RootFS(diff_ids=tuple(layer.diff_id for layer in layers)),
        history=(*(old.history or ()), *(History(created=old.created, created_by="by hand") for _ in added)),
    )
    config = Document(media_type=media.OCI_CONFIG, data=encode(settings))
    manifest = Manifest(
        schema_version=2,
        media_type=media.OCI_MANIFEST,
        config=describe(config),
        layers=tuple(Descriptor(media_type=one.media_type, digest=one.digest, size=one.size) for one in layers),
    )
    document = Document(media_type=media.OCI_MANIFEST, data=encode(manifest))
    return Image(platform=platform, manifest=document, config=config, layers=layers)


def _layer(folder: Path, data: bytes) -> Layer:
    made = packed(folder, data)
    assert made.digest
    assert made.diff_id
    return Layer(
        media_type=made.media_type, digest=made.digest, size=Path(made.file).stat().st_size, diff_id=made.diff_id,
        unpacked_size=len(data), file=made.file, role="app", history="by hand",
    )  # fmt: skip


def tree(*entries: Entry) -> bytes:
    """The archive of `entries` with every folder above them."""
    above = {str(parent) for one in entries for parent in Path(one.path).parents} - {"."}
    return archive([*(directory(path) for path in above - {one.path for one in entries}), *entries])


def shell() -> Fault:
    """/bin/sh of this machine with the libraries that it takes: it works."""
    sh = Path(shutil.which("sh") or "").resolve()
    files = {"bin/sh": sh, **of_this_machine(sh)}
    return Fault(
        archives=(tree(*(Entry(path=path, mode=0o755, content=file.read_bytes()) for path, file in files.items())),)
    )


def on_top(path: str, mode: int, content: bytes = b"x\n") -> Callable[[], Fault]:
    """One more file."""
    return lambda: Fault(archives=(tree(Entry(path=path, mode=mode, content=content)),))


def dns_only() -> Fault:
    """Names are asked for in DNS alone, where nobody knows localhost."""
    entry = Entry(path="etc/nsswitch.conf", mode=0o644, content=b"hosts: dns\n")
    return Fault(base="needsdns", archives=(tree(entry),))


def folder_for_all() -> Fault:
    """A folder that everybody may write to, and where everybody may remove what others wrote."""
    return Fault(archives=(archive([directory("srv", 0o777)]),))


def file_capabilities() -> Fault:
    """A program that gives who starts it CAP_NET_ADMIN (vfs_cap_data, revision 2: permitted and effective)."""
    value = struct.pack("<IIIII", 0x02000001, 1 << 12, 0, 0, 0)
    records = pax(SCHILY__xattr__security__capability=value)
    entry = member(b"app/tool", b"#!/nothing\n", mode=b"0000755\0")
    return Fault(archives=(member(b"app/", kind=b"5", mode=b"0000755\0") + records + entry + bytes(1024),))


def private_key() -> bytes:
    """It looks like one and is none."""
    lines = base64.encodebytes(random.Random(4).randbytes(138)).decode()
    kind = "PRIVATE KEY"
    return f"-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n".encode()


def deleted_key() -> Fault:
    """A key that no container shows, and that everybody finds who opens the layers."""
    hidden = member(b"etc/", kind=b"5", mode=b"0000755\0") + member(b"etc/.wh.tls.key") + bytes(1024)
    return Fault(archives=(tree(Entry(path="etc/tls.key", mode=0o400, content=private_key())), hidden))


def too_large() -> Fault:
    """16 MiB that do not get smaller."""
    noise = random.Random(5).randbytes(16 << 20)
    return Fault(archives=(tree(Entry(path="usr/share/noise", content=noise)),))


def config(base: str = "good", **fields: Any) -> Callable[[], Fault]:
    """Another line in the config."""
    return lambda: Fault(base=base, config=fields)


def started(path: str, mode: int, content: Callable[[], bytes], **fields: Any) -> Callable[[], Fault]:
    """A file that the image starts in place of its program."""
    return lambda: Fault(
        archives=(tree(Entry(path=path, mode=mode, content=content())),),
        config={"entrypoint": (f"/{path}",), **fields},
    )


def dynamic() -> bytes:
    """A program of this machine that needs a loader."""
    return Path(shutil.which("true") or "").read_bytes()


def hello() -> bytes:
    """The program."""
    return content_of(apps.made("hello").image.layers[-1], "app/hello")


def foreign() -> bytes:
    """`hello` with another machine in its ELF header than the image says: the kernel does not start it."""
    data = bytearray(hello())
    struct.pack_into("<H", data, 18, X86_64 if HOST.architecture == "arm64" else ARM64)
    return bytes(data)


def too_new() -> Fault:
    """`hello` for GOAMD64=v4 that asks for even more than v4: no processor has it, and each gets the answer of an old one."""
    v4 = Platform(architecture="amd64", variant="v4")
    data = content_of(apps.made("hello-v4").image.layers[-1], "app/hello")
    assert data.count(ASKS_LEAF) == 1, "Go's first code has changed"
    entry = Entry(path="app/hello", mode=0o555, content=data.replace(ASKS_LEAF, ASKS_TOO_MUCH))
    return Fault(base="hello-v4", archives=(tree(entry),), platform=v4)


#: Name → the fault; tests/apps/README.md says which check must fail.
FAULTS: dict[str, Callable[[], Fault]] = {
    "cpu-level": too_new,
    "deleted-key": deleted_key,
    "dns-only": dns_only,
    "dynamic": started("app/tool", 0o755, dynamic),
    "file-capabilities": file_capabilities,
    "folder-for-all": folder_for_all,
    "missing-program": config(entrypoint=("/app/gone",)),
    "no-command": config(entrypoint=None, cmd=None),
    "no-user": config(user=""),
    "not-executable": started("app/tool", 0o444, hello),
    "other-index": lambda: Fault(platform=Platform(architecture="arm64"), both=True),
    "other-machine": started("app/tool", 0o755, foreign),
    "private-key": on_top("etc/app/tls.key", 0o400, private_key()),
    "script": started("app/run.sh", 0o755, lambda: b"#!/bin/sh\nexec /app/good\n"),
    "setgid": on_top("usr/bin/tool", 0o2755),
    "setuid": on_top("usr/bin/tool", 0o4755),
    "shell": shell,
    "sources": on_top("src/go.mod", 0o444, b"module example.com/x\n"),
    "token-env": config(env=("PATH=/app", "GREETING=ghp_" + "0123456789abcdef" * 2 + "wxyz")),
    "too-large": too_large,
    "unknown-user": config(user="ghost"),
    "user-by-name": config(user="nonroot"),
    "world-writable": on_top("etc/app.conf", 0o666),
}
